import { describe, expect, it } from 'vitest'
import { Failure } from '#shared/domain/errors'
import type { GpuAdapter } from '#shared/ipc/worker'
import { createEngineEvents } from '../base/events'
import { createQuarantine, type QuarantineParts } from './quarantine'

const SHARE = { id: 'a share', nonce: '1', tier: 'itp1-small' } as const

/** One graphics processor, `gpu0`; everything that is asked of its surroundings, in order. */
function surroundings(adapter: GpuAdapter | null) {
  const happened: string[] = []
  const note = (what: string): void => void happened.push(what)
  let opened = adapter
  let now = 1000
  let foundAt = 0
  const events = createEngineEvents()
  const quarantine = createQuarantine({
    devices: {
      adapter: () => opened,
      dropMatrixUnits: () => {
        opened = { name: '' }
        note('dropped')
      },
      quarantine: (id: string, reason: string) => note(`quarantined ${id}: ${reason}`),
      forget: () => note('forgotten'),
      runner: () => ({ stop: async () => note('stopped') }),
    } as unknown as QuarantineParts['devices'],
    drivers: { ownerOf: () => null, quarantine: () => note('driver') },
    mining: () => ({ devicesChanged: async () => note('others go on') }),
    ledger: {
      recordEvent: ({ code }: { code: string }) => note(code),
      jobRow: () => ({ at: foundAt }),
    } as unknown as QuarantineParts['ledger'],
    events,
    log: { warn: () => undefined, error: note },
    clock: { now: () => now },
  })
  return {
    quarantine,
    happened,
    at: (time: number) => {
      now = time
    },
    /** The network refuses a share that `deviceId` found then. */
    refuse: (deviceId: string, time: number, code: 'wrong-digest' | 'stale-epoch' = 'wrong-digest') => {
      foundAt = time
      events.emit('share.changed', { ...SHARE, deviceId, state: 'rejected', code })
    },
    accept: (deviceId: string) => events.emit('share.changed', { ...SHARE, deviceId, state: 'accepted' }),
    settled: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

const lost = new Failure('driver-fault', 'the graphics adapter A was lost: it was reset')

describe('a graphics processor', () => {
  it('that was lost, reset or hangs is quarantined with the reason; the others go on', async () => {
    const { quarantine, happened, settled } = surroundings({ name: '' })
    quarantine.onGpuFault('gpu0', lost)
    await settled()
    expect(happened).toEqual([
      'quarantined gpu0: the graphics adapter A was lost: it was reset',
      'device-quarantined',
      'stopped',
      'others go on',
    ])
  })

  it('that refused the work is only stopped', async () => {
    const { quarantine, happened, settled } = surroundings({ name: '' })
    quarantine.onGpuFault('gpu0', new Failure('device-unavailable', 'the graphics adapter A refused the work'))
    await settled()
    expect(happened).toEqual([])
  })

  it('whose matrix units failed in any way goes on without them; only the next fault costs the device', async () => {
    const { quarantine, happened, settled, at, refuse } = surroundings({ name: '', matrixUnits: true })
    quarantine.onGpuFault('gpu0', new Failure('device-unavailable', 'the graphics adapter A refused the work'))
    await settled()
    expect(happened).toEqual(['dropped', 'matrix-units-dropped', 'stopped', 'forgotten', 'others go on'])
    at(2000)
    refuse('gpu0', 999)
    await settled()
    expect(happened).toHaveLength(5)
    quarantine.onGpuFault('gpu0', lost)
    await settled()
    expect(happened[5]).toBe('quarantined gpu0: the graphics adapter A was lost: it was reset')
  })

  it('that submitted a wrong digest is quarantined; no other device is by this', async () => {
    const { happened, settled, refuse, accept } = surroundings({ name: '' })
    accept('gpu0')
    refuse('gpu0', 500, 'stale-epoch')
    await settled()
    expect(happened).toEqual([])
    refuse('gpu0', 500)
    await settled()
    expect(happened[0]).toBe('quarantined gpu0: it submitted a wrong digest')
    const processor = surroundings(null)
    processor.refuse('cpu0', 500)
    await processor.settled()
    expect(processor.happened).toEqual([])
  })
})
