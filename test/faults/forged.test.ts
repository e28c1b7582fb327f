/**
 * Forged shares at the real practice network: its SQLite store, its verifier process, real signatures and real digests
 * from a worker process. Each is refused with its own code and earns nothing.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine } from '#engine/engine'
import { createSigner, openPracticeNetwork } from '#engine/network/index'
import { startVerifier, type VerifierClient } from '#engine/workers/verifier'
import { plainAppraiser } from '../support/coordinator-harness'
import { startWorker, type WorkerClient } from '#engine/workers/worker-client'
import type { ProcessHost } from '#process/host'
import { createNodeProcessHost } from '#process/node-host'
import { systemClock } from '#process/clock'
import { bytesToHex } from '#shared/domain/bytes'
import type { Acknowledgement } from '#shared/protocol/refusal'
import type { ShareSubmission } from '#shared/protocol/share'
import type { Unit } from '#shared/protocol/unit'
import { isShare, nonceOf } from '#shared/domain/share'
import { signObject, type Signed } from '#shared/domain/signed'
import { overSessions, serializedTransport } from '../support/sessions'
import { lode, root, temporaryFolder } from '../support/lode'
import { eventually } from '../support/waiting'

const host = createNodeProcessHost(join(root, 'out/node'))
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
const common = { host, clock: systemClock, randomFraction: Math.random, log: silent }
const TIER = 'itp1-test'

const folder = temporaryFolder()
/** What is put on top of the computer's clock. */
let ahead = 0
let verifier: VerifierClient
let worker: WorkerClient
let network: Awaited<ReturnType<typeof open>>
const open = async () => {
  const practice = await openPracticeNetwork({
    folder,
    verifier,
    appraiser: plainAppraiser,
    syntheticJobs: verifier,
    clock: { ...systemClock, now: () => Date.now() + ahead },
    onError: (error) => expect.fail(String(error)),
    random,
    configuration: { tiers: [TIER] },
  })
  return { ...practice, coordinator: overSessions(practice.coordinator) }
}

beforeAll(async () => {
  verifier = startVerifier(common, { nativeWorks: () => Promise.resolve(false) })
  worker = startWorker(common, {
    name: 'worker',
    start: { role: 'worker', deviceId: 'cpu0', threads: 1 },
    onState: () => undefined,
  })
  network = await open()
  await worker.ready()
})
afterAll(async () => {
  network.close()
  await Promise.all([verifier.stop(), worker.stop()])
})

function createRig() {
  const signer = createSigner(bytesToHex(random(32)))
  const rig = signer.publicKeyHex
  return {
    signer,
    rig,
    /** Difficulty 1 unless the rig says that it is fast. */
    unit: async (macsPerSecond = 1): Promise<Unit> => {
      const answer = await network.coordinator.leaseUnit({ rig, device: 'cpu0', tier: TIER, macsPerSecond })
      if (!answer.ok) throw new Error(answer.refusal.message)
      return answer.value.body
    },
    /** The nonce's digest, as a worker process computes it. */
    digest: async (nonce: bigint): Promise<string> => {
      const { seed } = (await network.coordinator.current()).epoch.body
      const context = { tier: TIER, epochSeed: seed, backend: 'reference' } as const
      return (await worker.request('proof.digest', { ...context, publicKey: rig, nonce })).digest
    },
    share: (unit: Unit, nonce: bigint, digest: string, changes: Partial<ShareSubmission> = {}) =>
      signObject(
        'share',
        {
          network: network.coordinator.networkKey,
          rig,
          epoch: unit.epoch,
          tier: unit.tier,
          nonce: nonce.toString(),
          digest,
          ...changes,
        },
        signer,
      ),
  }
}

/** The refusal's code, or "accepted". */
async function answerTo(share: Signed<ShareSubmission>): Promise<string> {
  const answer = await network.coordinator.submitShare(share)
  return answer.ok ? 'accepted' : answer.refusal.code
}
const receiptOf = (answer: Acknowledgement) => {
  if (!answer.ok || answer.state === 'held') throw new Error(answer.ok ? answer.state : answer.refusal.code)
  return { id: answer.receipt.id, repeated: answer.repeated }
}

describe('the practice network takes an honest share and refuses', () => {
  test('a random digest that would meet the target', async () => {
    const rig = createRig()
    const unit = await rig.unit()
    const nonce = nonceOf(unit.unit, 0n)
    expect(await answerTo(rig.share(unit, nonce, `000000${bytesToHex(random(29))}`))).toBe('wrong-digest')
    const digest = await rig.digest(nonce)
    const flipped = (Number.parseInt(digest.slice(-1), 16) ^ 1).toString(16)
    expect(await answerTo(rig.share(unit, nonce, digest.slice(0, -1) + flipped))).toBe('wrong-digest')
    expect(await answerTo(rig.share(unit, nonce, digest))).toBe('accepted')
  })

  test('a nonce that was used', async () => {
    const rig = createRig()
    const unit = await rig.unit()
    const nonce = nonceOf(unit.unit, 7n)
    const digest = await rig.digest(nonce)
    expect(await answerTo(rig.share(unit, nonce, digest))).toBe('accepted')
    expect(await answerTo(rig.share(unit, nonce, bytesToHex(random(32))))).toBe('replayed-nonce')
  })

  test("another rig's unit, also with a digest of its own", async () => {
    const [owner, thief] = [createRig(), createRig()]
    const unit = await owner.unit()
    const nonce = nonceOf(unit.unit, 0n)
    expect(await answerTo(thief.share(unit, nonce, await thief.digest(nonce)))).toBe('foreign-unit')
    const nobodys = nonceOf((unit.unit + 1) % 2 ** 32, 0n)
    expect(await answerTo(owner.share(unit, nobodys, await owner.digest(nobodys)))).toBe('foreign-unit')
  })

  test('the key of another, a changed share, a signature of something else', async () => {
    const [rig, other] = [createRig(), createRig()]
    const unit = await rig.unit()
    const nonce = nonceOf(unit.unit, 0n)
    const share = rig.share(unit, nonce, await rig.digest(nonce))
    expect(await answerTo(signObject('share', share.body, other.signer))).toBe('wrong-key')
    expect(await answerTo({ ...share, body: { ...share.body, nonce: (nonce + 1n).toString() } })).toBe('wrong-key')
    expect(await answerTo(signObject('receipt', share.body, rig.signer))).toBe('wrong-key')
    expect(await answerTo(share)).toBe('accepted')
  })

  test('a tier that the unit is not for', async () => {
    const rig = createRig()
    const unit = await rig.unit()
    const nonce = nonceOf(unit.unit, 0n)
    const share = rig.share(unit, nonce, await rig.digest(nonce), { tier: 'itp1-base' })
    expect(await answerTo(share)).toBe('wrong-tier')
  })

  test('a correct digest above the target', async () => {
    const rig = createRig()
    const unit = await rig.unit(1e15)
    expect(BigInt(unit.difficulty)).toBeGreaterThan(1_000_000n)
    const nonce = nonceOf(unit.unit, 0n)
    const digest = await rig.digest(nonce)
    expect(isShare(digest, BigInt(unit.difficulty))).toBe(false)
    expect(await answerTo(rig.share(unit, nonce, digest))).toBe('above-target')
  })

  test.each([
    ['nothing', null],
    ['a text', 'share'],
    ['an object without a body', { id: '0', key: '0', signature: '0' }],
  ])('what is no share: %s', async (_what, rubbish) => {
    expect(await answerTo(rubbish as unknown as Signed<ShareSubmission>)).toBe('malformed')
  })

  test('a share of an epoch long over; and the same share after a crash gets its original receipt', async () => {
    const rig = createRig()
    const unit = await rig.unit()
    const [sent, late] = [nonceOf(unit.unit, 0n), nonceOf(unit.unit, 1n)]
    const share = rig.share(unit, sent, await rig.digest(sent))
    const tooLate = rig.share(unit, late, await rig.digest(late))
    const first = receiptOf(await network.coordinator.submitShare(share))
    expect(first.repeated).toBe(false)
    // Its process ended before the receipt was stored; the store is opened again, in a later epoch.
    network.close()
    ahead += 2 * 3_600_000
    network = await open()
    expect(receiptOf(await network.coordinator.submitShare(share))).toEqual({ id: first.id, repeated: true })
    expect(await answerTo(tooLate)).toBe('stale-epoch')
  })
})

test('a rig whose worker computes wrongly earns nothing, and its ledger says why', async () => {
  const dataDir = temporaryFolder()
  const engine = await createEngine({
    dataDir,
    version: 'test',
    clock: systemClock,
    random,
    host: lying(host),
    log: silent,
    logFile: null,
    resourcesFolder: join(root, 'resources'),
    allowTestTier: true,
    models: { fetchByItself: false },
    carrySession: serializedTransport,
  })
  try {
    const refusals: string[] = []
    engine.api.onEvent((event, data) => {
      const { state, code } = data as { state?: string; code?: string }
      if (event === 'share.changed' && state === 'refused') refusals.push(code ?? '')
    })
    await engine.api.handlers['engine.start']({ tier: TIER, samples: false })
    await eventually(() => refusals.length > 0, 'a refusal')
    expect(refusals).toContain('wrong-digest')
    const { creditMacs, credits } = await engine.api.handlers['engine.stop']({ finish: false })
    expect({ total: creditMacs.total, credits }).toEqual({ total: '0', credits: 0 })
  } finally {
    await engine.close()
  }
  const exported = (await lode(dataDir, ['ledger', 'export', '--json'])).lines()
  expect(exported).toContainEqual(expect.objectContaining({ state: 'refused', reason: 'wrong-digest', receipt: null }))
  expect(exported.filter(({ state }) => state === 'accepted')).toEqual([])
  const verified = await lode(dataDir, ['ledger', 'verify', '--json'])
  expect(verified.json()).toMatchObject({ ok: true, receipts: 0, creditMacs: '0', problems: [] })
})

/** Real processes, but what a worker found is reported with another last byte. */
function lying(honest: ProcessHost): ProcessHost {
  interface Found {
    answer?: unknown
    result?: { shares?: { digest: string }[] }
  }
  const isWorker = (start: unknown): boolean => (start as { role?: string }).role === 'worker'
  return {
    start: async (program, start) => {
      const process = await honest.start(program, start)
      if (!isWorker(start)) return process
      const { port } = process
      return {
        ...process,
        port: {
          send: (message) => port.send(message),
          onClose: (listener) => port.onClose(listener),
          close: () => port.close(),
          onMessage: (listener) =>
            port.onMessage((message) => {
              for (const share of (message as Found).result?.shares ?? [])
                share.digest = share.digest.slice(0, -2) + (share.digest.endsWith('00') ? '01' : '00')
              listener(message)
            }),
        },
      }
    },
  }
}
