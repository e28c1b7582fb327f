import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SensorInventory } from '#shared/ipc/sensors'
import { foreignWords } from '#shared/domain/messages'
import { createEngineEvents, openSettings, type RigContext } from '../base'
import { createDeviceRegistry, createMachine, type DeviceRegistry } from '../devices'
import { createJobRates, createSyntheticJobBudget } from '../jobs'
import { openLedger, type Ledger } from '../ledger'
import type { NetworkLink } from '../network'
import { createDevicePowers, type Live } from '../power'
import { createDriverChannel } from '../workers'
import { createRigDevices, type RigDevices } from './rig-devices'

const clock = { now: () => Date.UTC(2026, 0, 15), monotonic: () => 0, setTimeout: () => ({ cancel: () => undefined }) }

let folder: string
let ledger: Ledger
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lode-devices-'))
  ledger = openLedger({ folder, clock, ids: { uuid: () => v7() }, onNotice: () => undefined })
})
afterEach(() => {
  ledger.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A computer with one graphics processor, whose matrix units are right and faster. `opened`: how each loop's worker opens its device. */
async function computer(driver: string): Promise<{
  devices: RigDevices
  registry: DeviceRegistry
  mayUse: boolean[]
  opened: { id: string; matrixUnits: boolean }[]
}> {
  const inventory: SensorInventory = {
    cpu: { name: 'A processor', vendor: 'A', physicalCores: 2, logicalCores: 2, instructionSets: [] },
    memoryBytes: 8e9,
    gpus: [{ id: 'gpu0', name: 'A manifest', vendor: 'B', driver, shared: false }],
    raplReadable: false,
    battery: false,
  }
  const mayUse: boolean[] = []
  const opened: { id: string; matrixUnits: boolean }[] = []
  const rig: RigContext = {
    version: 'test',
    dataDir: folder,
    clock,
    randomBytes: (count) => new Uint8Array(count),
    randomFraction: () => 0.5,
    host: { start: () => Promise.reject(new Error('not asked for')) },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    ledger,
    events: createEngineEvents(),
  }
  const settings = openSettings(ledger, 'rig')
  const machine = createMachine(rig, {
    inventory,
    readInventory: async () => inventory,
    settings,
    nativeWorks: async () => false,
    gpuBackends: async ({ mayUseMatrixUnits }) => {
      mayUse.push(mayUseMatrixUnits)
      return { backends: ['webgpu', 'onnx-webgpu'], matrixUnits: mayUseMatrixUnits }
    },
  })
  const registry = createDeviceRegistry({ machine, others: [], settings })
  const powers = createDevicePowers({ inventory, isDriverDevice: () => false })
  const devices = createRigDevices({
    rig,
    link: {} as NetworkLink,
    registry,
    settings,
    models: { runnable: () => [], name: (hash) => hash, kinds: () => [] },
    verifier: { prepare: async () => undefined },
    powers: {
      ...powers,
      attach: ({ deviceId: id }) => {
        opened.push({ id, matrixUnits: registry.driving(id).workerStart.gpu?.matrixUnits === true })
      },
    },
    live: {
      add: () => undefined,
      remove: () => undefined,
      rate: () => ({ macsPerSecond: null, macsPerJoule: null }),
    } as unknown as Live,
    sensorReadings: { read: async () => undefined },
    channel: createDriverChannel(),
    syntheticJobBudget: createSyntheticJobBudget(() => 0),
    generateInput: null,
    jobRates: createJobRates(ledger),
    pace: () => ({ threadsShare: 1, dutyCycle: 1 }),
    onChange: () => undefined,
  })
  await registry.settled()
  return { devices, registry, mayUse, opened }
}

describe('a graphics processor whose matrix units failed', () => {
  it('goes on with its vector units, says so, and tries the others again under another driver alone', async () => {
    const { devices, registry, opened } = await computer('580.1')
    expect(devices.get('gpu0').detail.backendUses).toBe('int8 matrix units')
    expect(registry.driving('gpu0').judge({ kind: 'wrong-results', reason: foreignWords('a digest was wrong') })).toBe(
      'reopened',
    )
    devices.forget('gpu0')
    expect(devices.get('gpu0')).toMatchObject({
      canMine: true,
      quarantined: false,
      backend: 'webgpu',
      detail: { backendUses: 'int8 vector units; tensor cores need a vendor driver' },
    })
    expect(opened.filter(({ id }) => id === 'gpu0').map(({ matrixUnits }) => matrixUnits)).toEqual([true, false])

    const again = await computer('580.1')
    expect(again.mayUse).toEqual([false])
    const updated = await computer('585.2')
    expect(updated.mayUse).toEqual([true])
  })
})
