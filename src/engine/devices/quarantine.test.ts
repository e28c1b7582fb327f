import { describe, expect, it } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { foreignWords, inEnglish, type Message, readStoredMessage } from '#shared/domain/messages'
import { createEngineEvents, type RigContext } from '../base'
import { createMachine, type MachineOptions } from './machine'
import { createQuarantine } from './quarantine'

const SHARE = { id: 'a share', nonce: '1', tier: 'itp1-small' } as const

/** One graphics processor, `gpu0`, with or without matrix units; everything that is asked of its surroundings, in order. */
async function surroundings(gpu: { matrixUnits: boolean }) {
  const happened: string[] = []
  const note = (what: string): void => void happened.push(what)
  let now = 1000
  let foundAt = 0
  const events = createEngineEvents()
  const rig = {
    events,
    host: { start: () => Promise.reject(new Error('not asked for')) },
    ledger: {
      recordEvent: ({ words }: { words: Message }) => note(words.code),
      workRow: () => ({ at: foundAt }),
    } as unknown as RigContext['ledger'],
    log: { info: () => undefined, warn: () => undefined, error: note },
    clock: { now: () => now, monotonic: () => now, setTimeout: () => ({ cancel: () => undefined }) },
  }
  const machine = createMachine(rig, {
    inventory: {
      cpu: { name: 'A processor', vendor: '', physicalCores: 1, logicalCores: 1, instructionSets: [] },
      memoryBytes: 1e9,
      gpus: [{ id: 'gpu0', name: 'A manifest', vendor: 'B', driver: '580.1', shared: false }],
      raplReadable: false,
      battery: false,
    },
    readInventory: () => Promise.reject(new Error('not asked for')),
    settings: {
      devices: {},
      device: () => ({ enabled: true }),
      changeDevice: (
        id: string,
        { quarantine, matrixUnitsFailedUnder }: { quarantine?: string; matrixUnitsFailedUnder?: string },
      ) => {
        if (matrixUnitsFailedUnder !== undefined) note('dropped')
        if (quarantine !== undefined) note(`quarantined ${id}: ${inEnglish.text(readStoredMessage(quarantine))}`)
      },
    } as unknown as MachineOptions['settings'],
    nativeWorks: async () => false,
    gpuBackends: async () => ({ backends: ['webgpu'], matrixUnits: gpu.matrixUnits }),
  })
  await machine.settled()
  let changes = 0
  machine.onChange.on(() => {
    changes++
  })
  const quarantine = createQuarantine(rig, {
    registry: {
      driving: (id) => {
        const found = machine.driving(id)
        if (found === null) throw new Error(`no ${id}`)
        return found
      },
    },
    stop: async () => note('stopped'),
    forget: () => note('forgotten'),
    devicesChanged: async () => note('others go on'),
  })
  return {
    quarantine,
    happened,
    /** how often the screens were told */
    changes: () => changes,
    retry: () => machine.driving('gpu0')?.retry(),
    at: (time: number) => {
      now = time
    },
    /** The network refuses a share that `deviceId` found then. */
    refuse: (deviceId: string, time: number, code: 'wrong-digest' | 'stale-epoch' = 'wrong-digest') => {
      foundAt = time
      events.emit('share.changed', { ...SHARE, deviceId, state: 'refused', code })
    },
    accept: (deviceId: string) => events.emit('share.changed', { ...SHARE, deviceId, state: 'accepted' }),
    settled: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

const lost = new Failure('driver-fault', foreignWords('the graphics adapter A was lost: it was reset'))

describe('a graphics processor', () => {
  it('that was lost, reset or hangs is quarantined with the reason; the others go on', async () => {
    const { quarantine, happened, settled } = await surroundings({ matrixUnits: false })
    quarantine.report('gpu0', { kind: 'stopped', fault: lost })
    await settled()
    expect(happened).toEqual([
      'quarantined gpu0: the graphics adapter A was lost: it was reset',
      'device-quarantined',
      'stopped',
      'others go on',
    ])
  })

  it('that refused the work is only stopped', async () => {
    const { quarantine, happened, settled } = await surroundings({ matrixUnits: false })
    quarantine.report('gpu0', {
      kind: 'stopped',
      fault: new Failure('device-unavailable', foreignWords('the graphics adapter A refused the work')),
    })
    await settled()
    expect(happened).toEqual([])
  })

  it('whose matrix units failed in any way goes on without them; only the next fault costs the device', async () => {
    const { quarantine, happened, settled, at, refuse } = await surroundings({ matrixUnits: true })
    quarantine.report('gpu0', {
      kind: 'stopped',
      fault: new Failure('device-unavailable', foreignWords('the graphics adapter A refused the work')),
    })
    await settled()
    expect(happened).toEqual(['dropped', 'matrix-units-dropped', 'stopped', 'forgotten', 'others go on'])
    at(2000)
    refuse('gpu0', 999)
    await settled()
    expect(happened).toHaveLength(5)
    quarantine.report('gpu0', { kind: 'stopped', fault: lost })
    await settled()
    expect(happened[5]).toBe('quarantined gpu0: the graphics adapter A was lost: it was reset')
  })

  it('that is quarantined, opened in another way or tried again is shown so, also while nothing mines', async () => {
    const { quarantine, changes, retry, settled, refuse } = await surroundings({ matrixUnits: true })
    await quarantine.put('gpu0', foreignWords('it computed wrongly'))
    expect(changes()).toBe(1)
    refuse('gpu0', 999)
    await settled()
    expect(changes()).toBe(1)
    refuse('gpu0', 1000)
    await settled()
    expect(changes()).toBe(2)
    await retry()
    expect(changes()).toBe(3)
  })

  it('that submitted a wrong digest is quarantined; no other device is by this', async () => {
    const { happened, settled, refuse, accept } = await surroundings({ matrixUnits: false })
    accept('gpu0')
    refuse('gpu0', 500, 'stale-epoch')
    await settled()
    expect(happened).toEqual([])
    refuse('gpu0', 500)
    await settled()
    expect(happened[0]).toBe('quarantined gpu0: it submitted a wrong digest')
    const processor = await surroundings({ matrixUnits: false })
    processor.refuse('cpu0', 500)
    await processor.settled()
    expect(processor.happened).toEqual([])
  })
})
