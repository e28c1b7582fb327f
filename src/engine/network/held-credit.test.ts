import { afterEach, describe, expect, it } from 'vitest'
import { signObject } from '#shared/domain/signed'
import { Failure } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import type { JobDelivery } from '#shared/protocol/job'
import type { Acknowledgement, RefusalCode } from '#shared/protocol/refusal'
import type { SessionService } from '#shared/protocol/session'
import { createTestRig, type TestRig } from '../device-loop/rig.test.support'
import { signatureVerifier } from './ed25519'

let rig: TestRig
afterEach(async () => {
  await rig.close()
})

/** A network that keeps results and says later what became of them. */
function createHoldingNetwork() {
  const verdicts = new Map<string, Acknowledgement>()
  const settled = new Set<string>()
  const network = {
    asked: 0,
    /** how many answers to results are lost on their way */
    lost: 0,
    /** what `delivery` is answered instead */
    instead: null as (() => Acknowledgement) | null,
    holdsShares: false,
    emit: (_event: string, _data: unknown): void => undefined,
    get refs() {
      return [...verdicts.keys()]
    },
    /** `answer`: instead of what a coordinator that judges at once answers. `tells`: by the event, too */
    settle(ref: string, { answer, tells = true }: { answer?: Acknowledgement; tells?: boolean } = {}) {
      if (answer) verdicts.set(ref, answer)
      settled.add(ref)
      if (tells) network.emit('settled', { ref })
    },
    around: (service: SessionService): SessionService => ({
      handle: async (method, request) => {
        if (method === 'submitShare' && network.holdsShares) return { ok: true, state: 'held', repeated: false }
        if (method === 'submitJob') {
          const { id } = (request as JobDelivery).result
          const repeated = verdicts.has(id)
          if (!repeated) verdicts.set(id, (await service.handle(method, request)) as Acknowledgement)
          if (network.lost > 0) {
            network.lost--
            throw new Failure('unavailable', foreignWords('the answer was lost'))
          }
          return settled.has(id) ? verdicts.get(id) : { ok: true, state: 'held', repeated }
        }
        if (method !== 'delivery') return service.handle(method, request)
        network.asked++
        const { ref } = request as { ref: string }
        if (network.instead) return network.instead()
        const known = verdicts.get(ref)
        if (!known) return service.handle(method, request)
        return settled.has(ref) ? known : { ok: true, state: 'held', repeated: true }
      },
      onEvent: (listener) => {
        network.emit = listener
        return service.onEvent(listener)
      },
    }),
  }
  return network
}

/** A rig whose job is held; the clock stands before the rig asks for the first time. */
async function heldJob() {
  const network = createHoldingNetwork()
  rig = await createTestRig({ around: network.around })
  const id = await rig.submit()
  rig.runner.wake()
  await rig.clock.advance(5000)
  expect(rig.stateOf(id)).toBe('held')
  return { network, id, ref: network.refs[0]! }
}
const refusal = (code: RefusalCode): Acknowledgement => ({ ok: false, refusal: { code, message: 'So it is.' } })
const isSound = (): void => expect(rig.ledger.verify({ signatures: signatureVerifier }).problems).toEqual([])
const reached = async (id: string, state: string): Promise<void> => {
  for (let step = 0; step < 100 && rig.stateOf(id) !== state; step++) await rig.clock.advance(10)
  expect(rig.stateOf(id)).toBe(state)
}

describe('a result that the network holds', () => {
  it('holds up neither the device nor the end, teaches the rate, and counts apart until it is accepted, once', async () => {
    const { network, id, ref } = await heldJob()
    const changes: string[] = []
    rig.events.on('job.changed', ({ state }) => changes.push(`job ${state}`))
    rig.events.on('credit.changed', ({ state }) => changes.push(`credit ${state}`))
    expect([rig.runner.state, rig.submissions.pending, network.asked]).toEqual(['idle', 0, 0])
    const { held, ...none } = rig.totals()
    expect(none).toMatchObject({ total: 0n, credits: 0 })
    expect(held).toBeGreaterThan(0n)
    expect(rig.jobRates.of('cpu0', rig.ledger.workDetail(id)?.modelHash ?? '')?.creditPerSecond).toBeGreaterThan(0)

    network.settle(ref)
    network.emit('settled', { ref })
    network.emit('settled', { ref: 'ab'.repeat(32) })
    await reached(id, 'accepted')
    // What was said twice was asked once.
    expect(network.asked).toBe(1)
    expect(changes).toEqual(['job accepted', 'credit accepted'])
    const { credits, total } = rig.totals()
    expect({ receipts: credits, creditMacs: total }).toEqual(await rig.store.totals())
    await rig.clock.advance(3_600_000)
    expect(network.asked).toBe(1)
    isSound()
  })

  it('is asked for after growing pauses too: what the network tells may be lost', async () => {
    const { network, id, ref } = await heldJob()
    await rig.clock.advance(600_000)
    // After 10 s, 20, 40, 80, 160, 320: at most ten minutes.
    expect(network.asked).toBe(5)
    await rig.clock.advance(6 * 3_600_000)
    expect(network.asked).toBeLessThan(50)
    network.settle(ref, { tells: false })
    await rig.clock.advance(600_000)
    expect(rig.stateOf(id)).toBe('accepted')
  })

  it.each([
    ['forfeited', 'forfeited'],
    ['wrong-result', 'refused'],
    ['already-credited', 'refused'],
    ['unknown-job', 'refused'],
  ] as const)('and then answers with %s is %s, with that reason', async (code, state) => {
    const { network, id, ref } = await heldJob()
    network.settle(ref, { answer: refusal(code) })
    await reached(id, state)
    expect(rig.ledger.workRow(id)).toMatchObject({ state, reason: foreignWords(code) })
    expect(rig.totals()).toMatchObject({ total: 0n, held: 0n, credits: 0 })
    await rig.clock.advance(3_600_000)
    expect(network.asked).toBe(1)
    isSound()
  })

  it.each(['suspended', 'malformed', 'too-many-leases'] as const)(
    'stays held while the question itself is refused as %s, or is not answered',
    async (code) => {
      const { network, id, ref } = await heldJob()
      network.instead = () => refusal(code)
      network.settle(ref)
      await rig.clock.advance(60_000)
      network.instead = () => {
        throw new Failure('unavailable', foreignWords('the network is away'))
      }
      await rig.clock.advance(600_000)
      expect([rig.stateOf(id), network.asked > 3]).toEqual(['held', true])
      network.instead = null
      network.emit('settled', { ref })
      await reached(id, 'accepted')
    },
  )

  it('is credited by its own genuine receipt only', async () => {
    const { network, id, ref } = await heldJob()
    const receipt = signObject(
      'receipt',
      {
        network: rig.coordinator.name,
        rig: rig.signer.publicKeyHex,
        epoch: 1,
        kind: 'job' as const,
        ref,
        macs: '1000',
        factorMilli: '1000',
        creditMacs: '1000',
        verification: 'unchecked' as const,
        acceptedAt: 1,
      },
      rig.networkSigner,
    )
    const { body } = receipt
    const forgeries = [
      signObject('receipt', body, rig.signer),
      signObject('receipt', { ...body, ref: 'ab'.repeat(32) }, rig.networkSigner),
      signObject('receipt', { ...body, kind: 'share' as const }, rig.networkSigner),
      signObject('receipt', { ...body, creditMacs: '1001' }, rig.networkSigner),
    ]
    for (const forged of forgeries) {
      network.instead = () => ({ ok: true, state: 'accepted', receipt: forged, repeated: true })
      network.emit('settled', { ref })
      await rig.clock.advance(1000)
      expect(rig.stateOf(id)).toBe('held')
    }
    expect(network.asked).toBeGreaterThanOrEqual(forgeries.length)
    network.instead = null
    network.settle(ref)
    await reached(id, 'accepted')
    isSound()
  })
})

describe('an engine that was killed', () => {
  it('asks at once for what its former run left held', async () => {
    const { network, id, ref } = await heldJob()
    network.settle(ref, { tells: false })
    await rig.restart()
    await reached(id, 'accepted')
    expect([network.asked, rig.totals().credits]).toEqual([1, 1])
    isSound()
  })

  it('before the answer came sends again, and hears that it is held', async () => {
    const network = createHoldingNetwork()
    network.lost = 1
    rig = await createTestRig({ around: network.around })
    const id = await rig.submit()
    rig.runner.wake()
    for (let step = 0; step < 100 && network.lost > 0; step++) await rig.clock.advance(50)
    expect(rig.stateOf(id)).toBe('submitted')
    await rig.restart()
    await reached(id, 'held')
    await rig.restart()
    network.settle(network.refs[0]!)
    await reached(id, 'accepted')
    const { credits, total } = rig.totals()
    expect({ receipts: credits, creditMacs: total }).toEqual(await rig.store.totals())
    isSound()
  })

  it('before it heard that it is held, and of a check that failed meanwhile, knows both', async () => {
    const network = createHoldingNetwork()
    network.lost = 1
    rig = await createTestRig({ around: network.around })
    const id = await rig.submit()
    rig.runner.wake()
    for (let step = 0; step < 100 && network.lost > 0; step++) await rig.clock.advance(50)
    network.settle(network.refs[0]!, { answer: refusal('forfeited'), tells: false })
    await rig.restart()
    await reached(id, 'forfeited')
    expect(rig.ledger.workDetail(id)?.path.map(({ state }) => state)).toEqual([
      'queued',
      'running',
      'submitted',
      'held',
      'forfeited',
    ])
    isSound()
  })
})

describe('a share', () => {
  it('that a network holds instead of judging is sent again until it is judged', async () => {
    const network = createHoldingNetwork()
    network.holdsShares = true
    rig = await createTestRig({ around: network.around })
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: false })
    await rig.clock.advance(3000)
    await rig.runner.stop()
    const { rows } = rig.ledger.creditPage(0, 50)
    expect(rows.length).toBeGreaterThan(0)
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['submitted']))
    network.holdsShares = false
    await rig.clock.advance(60_000)
    expect(rig.totals()).toMatchObject({ credits: rows.length, held: 0n })
    expect(network.asked).toBe(0)
  })
})
