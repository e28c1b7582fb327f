import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SensorInventory } from '#shared/ipc/sensors'
import { createDeviceRegistry, type DeviceRegistry, type DeviceRegistryParts } from './registry'
import type { DeviceDescriptor } from './describe'
import { openLedger, type Ledger } from '../ledger'
import { openSettings } from '../base/settings'
import type { DeviceRunner } from '../device-loop/device-runner'

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

/** A registry of a computer with one graphics processor, whose matrix units are right and faster. */
async function registry(driver: string): Promise<{
  devices: DeviceRegistry
  mayUse: boolean[]
  opened: DeviceDescriptor[]
}> {
  const inventory: SensorInventory = {
    cpu: { name: 'A processor', vendor: 'A', physicalCores: 2, logicalCores: 2, instructionSets: [] },
    memoryBytes: 8e9,
    gpus: [{ id: 'gpu0', name: 'A card', vendor: 'B', driver, shared: false }],
    raplReadable: false,
    battery: false,
  }
  const mayUse: boolean[] = []
  const opened: DeviceDescriptor[] = []
  const devices = createDeviceRegistry({
    inventory,
    readInventory: async () => inventory,
    settings: openSettings(ledger, 'rig'),
    nativeWorks: async () => false,
    gpuEngines: async ({ mayUseMatrixUnits }) => {
      mayUse.push(mayUseMatrixUnits)
      return { engines: ['webgpu', 'onnx-webgpu'], matrixUnits: mayUseMatrixUnits }
    },
    createRunner: (device) => {
      opened.push(device)
      const idle: Partial<DeviceRunner> = { state: 'idle', reason: null, engine: null, loadedModels: [] }
      return { ...idle, activity: '', benchmarkProgress: null, residentBytes: null, restarts: 0 } as DeviceRunner
    },
    drivers: {
      devices: () => [],
      ready: async () => undefined,
      ownerOf: () => null,
      powerLimits: { of: () => null },
    } as unknown as DeviceRegistryParts['drivers'],
    powers: {
      of: () => ({ watts: null, certainty: null, source: '', temperatureCelsius: null }),
      atFullLoad: () => ({ watts: null, certainty: null, source: '', temperatureCelsius: null }),
      refresh: () => undefined,
    },
    modelName: (hash) => hash,
    rate: () => ({ macsPerSecond: null, macsPerJoule: null }),
    onForgotten: () => undefined,
    onFound: () => undefined,
    onChange: () => undefined,
  })
  await devices.settled()
  return { devices, mayUse, opened }
}

describe('a graphics processor whose matrix units failed', () => {
  it('goes on with its vector units, says so, and tries the others again under another driver alone', async () => {
    const { devices, opened } = await registry('580.1')
    expect(devices.get('gpu0').detail.engineUses).toBe('int8 matrix units')
    devices.dropMatrixUnits('gpu0')
    devices.forget('gpu0')
    expect(devices.get('gpu0')).toMatchObject({
      canMine: true,
      quarantined: false,
      engine: 'webgpu',
      detail: { engineUses: 'int8 vector units; tensor cores need a vendor driver' },
    })
    expect(opened.filter(({ id }) => id === 'gpu0').map(({ adapter }) => adapter?.matrixUnits ?? false)).toEqual([
      true,
      false,
    ])

    const again = await registry('580.1')
    expect(again.mayUse).toEqual([false])
    const updated = await registry('585.2')
    expect(updated.mayUse).toEqual([true])
  })
})
