/** A coordinator with a clock and randomness that tests command, and rigs that speak its protocol. */
import { createSigner, signatureVerifier } from '#engine/network/index'
import {
  createCoordinator,
  type Appraiser,
  type CoordinatorConfiguration,
  type CoordinatorStore,
  type OwnModels,
  type SyntheticJobSource,
  type Verifier,
} from '#coordinator/coordinator'
import { KIND_FACTORS_MILLI } from '#coordinator/kind-factors'
import { bytesToHex, utf8ToBytes } from '#shared/domain/bytes'
import type { MacFormula } from '#shared/domain/manifest'
import type { JobEvidence, JobInput, JobKind, JobOutput, JobSizes } from '#shared/domain/job'
import { PROTOCOL_VERSION, type ListedModel } from '#shared/protocol/parameters'
import type { Acknowledgement, Answer, RefusalCode } from '#shared/protocol/refusal'
import type { JobDelivery, JobOffer } from '#shared/protocol/job'
import type { ShareSubmission } from '#shared/protocol/share'
import type { Unit } from '#shared/protocol/unit'
import { isShare, nonceOf } from '#shared/domain/share'
import { objectId, sha256Hex, signObject, type Signed, type SignatureVerifier } from '#shared/domain/signed'
import { sha256 } from '@noble/hashes/sha2.js'
import { createMemoryStore } from './memory-store'
import { overSessions, type TestNetwork } from './sessions'

export const START = Date.UTC(2026, 0, 15, 12, 0, 0)

/** Its timers go off when a test moves the time to them. */
export function createTestClock(start = START) {
  let time = start
  const timers = new Map<object, { at: number; callback: () => void }>()
  const set = (milliseconds: number): void => {
    time = milliseconds
    for (const [timer, { at, callback }] of timers) {
      if (at > time || !timers.delete(timer)) continue
      callback()
    }
  }
  return {
    now: () => time,
    setTimeout: (callback: () => void, milliseconds: number): { cancel(): void } => {
      const timer = { cancel: () => void timers.delete(timer) }
      timers.set(timer, { at: time + milliseconds, callback })
      return timer
    },
    advance: (milliseconds: number) => set(time + milliseconds),
    set,
    /** timers that have not gone off */
    get waiting() {
      return timers.size
    },
  }
}

/** The same bytes for the same seed. */
export function seededRandom(seed: string): (bytes: number) => Uint8Array {
  let block = 0
  return (bytes) => {
    const out = new Uint8Array(bytes)
    for (let at = 0; at < bytes; at += 32) {
      out.set(sha256(utf8ToBytes(`${seed}/${block++}`)).subarray(0, Math.min(32, bytes - at)), at)
    }
    return out
  }
}

/**
 * Takes the place of the proof where its arithmetic does not matter: one hash of everything a digest depends on. The
 * coordinator compares digests and never computes one.
 */
export const hashProof: Verifier = {
  digest: async (context) => hashDigest(context),
}
export function hashDigest({ tier, epochSeed, publicKey, nonce }: Parameters<Verifier['digest']>[0]): string {
  return sha256Hex(utf8ToBytes(`${tier}/${epochSeed}/${publicKey}/${nonce}`))
}

/**
 * Takes the place of the verifier process where no model and no picture is decoded: it says of a result what `honestRun`
 * says of it.
 */
export const plainAppraiser: Appraiser = {
  appraise: async ({ input, evidence }) => ({ state: 'derived', sizes: plainSizes(input.value, evidence) }),
}
function plainSizes(input: JobInput, evidence: JobEvidence): JobSizes {
  if (evidence.kind === 'chat') {
    return { kind: 'chat', promptTokens: evidence.promptTokenIds.length, generatedTokens: evidence.tokenIds.length }
  }
  if (input.kind === 'embed') return { kind: 'embed', tokensPerText: input.texts.map(() => 5) }
  return { kind: 'ocr', detectionPixels: 640 * 480, recognitionColumns: 640 }
}

/** Numbered synthetic jobs, as a generator of texts and pictures would draw them. */
export function createSyntheticJobs(): SyntheticJobSource & { drawn: JobKind[] } {
  const drawn: JobKind[] = []
  return {
    drawn,
    generate: async (kind, seed) => {
      drawn.push(kind)
      if (kind === 'chat')
        return { input: { kind, messages: [{ role: 'user', content: `What is ${seed}?` }], maxTokens: 8 } }
      if (kind === 'embed') return { input: { kind, texts: [`A line about ${seed}.`, 'Another line.'] } }
      return { input: { kind, image: btoa(seed) }, knownText: ['INVOICE 4711', 'TOTAL 12.50'] }
    },
  }
}

export async function createHarness(
  options: {
    configuration?: Partial<CoordinatorConfiguration>
    store?: CoordinatorStore
    clock?: ReturnType<typeof createTestClock>
    verifier?: Verifier
    appraiser?: Appraiser
    syntheticJobs?: SyntheticJobSource
    ownModels?: OwnModels
    seed?: string
    /** of the network's key, hex */
    networkSeed?: string
    signatures?: SignatureVerifier
  } = {},
) {
  const clock = options.clock ?? createTestClock()
  const store = options.store ?? createMemoryStore()
  const random = seededRandom(options.seed ?? 'network')
  const signer = createSigner(options.networkSeed ?? '11'.repeat(32))
  const verifier = options.verifier ?? hashProof
  const syntheticJobs = options.syntheticJobs ?? createSyntheticJobs()
  const start = async (changes = options.configuration): Promise<TestNetwork> => {
    // As in practice, the first rig is the network's own: its unchecked work is credited.
    const configuration = { ownRig: signerOf('rig').publicKeyHex, ...changes }
    const coordinator = await createCoordinator({
      store,
      verifier,
      appraiser: options.appraiser ?? plainAppraiser,
      syntheticJobs,
      clock,
      random,
      signer,
      signatures: options.signatures ?? signatureVerifier,
      ...(options.ownModels && { ownModels: options.ownModels }),
      configuration: { models: LISTED_MODELS, ...configuration },
    })
    return overSessions(coordinator)
  }
  return { clock, store, signer, syntheticJobs, start, coordinator: await start() }
}

export type Rig = ReturnType<typeof createRig>

const signerOf = (name: string) => createSigner(bytesToHex(sha256(utf8ToBytes(name))))

/** A rig with a key of its own. `name` decides the key; `rig` is the network's own. */
export function createRig(coordinator: TestNetwork, name = 'rig') {
  const signer = signerOf(name)
  const rig = signer.publicKeyHex
  const network = coordinator.networkKey
  const digestOf = async (unit: Unit, nonce: bigint): Promise<string> => {
    const { epoch } = await coordinator.current()
    return hashDigest({ tier: unit.tier, epochSeed: epoch.body.seed, publicKey: rig, nonce })
  }
  return {
    signer,
    key: rig,
    hello: (changes: object = {}) => {
      const body = { protocolVersion: PROTOCOL_VERSION, rig, network, at: START, devices: [], ...changes }
      return coordinator.hello(signObject('hello', body, signer))
    },
    unit: async (changes: { device?: string; tier?: Unit['tier']; macsPerSecond?: number } = {}): Promise<Unit> =>
      valueOf(await coordinator.leaseUnit({ rig, device: 'cpu0', tier: 'itp1-small', macsPerSecond: 1e9, ...changes }))
        .body,
    /** The first nonce from `from` whose digest meets the unit's difficulty (`meets` false: misses it). */
    find: async (unit: Unit, from = 0n, meets = true): Promise<{ nonce: bigint; digest: string }> => {
      for (let counter = from; ; counter++) {
        const nonce = nonceOf(unit.unit, counter)
        const digest = await digestOf(unit, nonce)
        if (isShare(digest, BigInt(unit.difficulty)) === meets) return { nonce, digest }
      }
    },
    sign: (
      unit: Unit,
      found: { nonce: bigint; digest: string },
      changes: Partial<ShareSubmission> = {},
    ): Signed<ShareSubmission> => {
      const { epoch, tier } = unit
      const body = { network, rig, epoch, tier, nonce: found.nonce.toString(), digest: found.digest, ...changes }
      return signObject('share', body, signer)
    },
    lease: (kinds: readonly JobKind[] = ['chat', 'embed', 'ocr'], samples = true): Promise<Answer<JobOffer>> =>
      coordinator.leaseJob({ rig, models: kinds.map((kind) => ({ model: MODELS[kind].model })), samples }),
    deliver: (offer: JobOffer, run: TestRun = honestRun(offer.input.value), changes: object = {}): JobDelivery => {
      const body = {
        network,
        rig,
        job: offer.id,
        kind: offer.kind,
        model: offer.model,
        inputHash: offer.input.hash,
        outputHash: objectId(run.output),
        evidenceHash: objectId(run.evidence),
        milliseconds: 12,
        ...changes,
      }
      return { result: signObject('job-result', body, signer), output: run.output, evidence: run.evidence }
    },
  }
}

const formulas = {
  chat: { kind: 'chat', perToken: 1_000_000, perLogits: 300_000, perPair: 1000 },
  embed: { kind: 'embed', perToken: 2_000_000, perPair: 500 },
  ocr: { kind: 'ocr', perDetectionBlock: 3_000_000, perRecognitionStep: 700_000 },
} as const satisfies Record<JobKind, MacFormula>

export const MODELS = {
  chat: { kind: 'chat', model: 'c'.repeat(64), macFormula: formulas.chat },
  embed: { kind: 'embed', model: 'e'.repeat(64), macFormula: formulas.embed },
  ocr: { kind: 'ocr', model: '0'.repeat(64), macFormula: formulas.ocr },
} as const

/** What the harness's network lists, with the factors of practice. */
export const LISTED_MODELS: readonly ListedModel[] = Object.values(MODELS).map(({ kind, model, macFormula }) => ({
  hash: model,
  kind,
  name: `A model for ${kind}`,
  context: kind === 'ocr' ? 0 : 8192,
  macFormula,
  factorMilli: KIND_FACTORS_MILLI[kind],
  verification: 'unchecked',
}))

export interface TestRun {
  output: JobOutput
  evidence: JobEvidence
  sizes: JobSizes
}

const boxAt = (top: number): [number, number][] => [
  [10, top],
  [210, top],
  [210, top + 30],
  [10, top + 30],
]

/** A result whose sizes fit its input, as a worker would hand it back. */
export function honestRun(input: JobInput): TestRun {
  switch (input.kind) {
    case 'chat':
      return {
        output: 'Forty-two.',
        evidence: {
          kind: 'chat',
          promptTokenIds: [1, 2, 3, 4],
          tokenIds: [7, 9],
          topLogProbabilities: [
            [
              [7, -0.1],
              [8, -2.5],
            ],
            [
              [9, -0.2],
              [1, -3],
            ],
          ],
          finish: 'stop',
        },
        sizes: { kind: 'chat', promptTokens: 4, generatedTokens: 2 },
      }
    case 'embed': {
      const output = input.texts.map((_, row) => [row + 0.5, 0.25, -1])
      const bytes = new Uint8Array(Float32Array.from(output.flat()).buffer)
      return {
        output,
        evidence: { kind: 'embed', vectorsSha256: sha256Hex(bytes) },
        sizes: { kind: 'embed', tokensPerText: input.texts.map(() => 5) },
      }
    }
    case 'ocr':
      return {
        output: ['INVOICE 4711', 'TOTAL 12.50'].map((text, row) => ({
          text,
          box: boxAt(40 * row),
          confidence: 0.98,
        })),
        evidence: { kind: 'ocr', lines: 2 },
        sizes: { kind: 'ocr', detectionPixels: 640 * 480, recognitionColumns: 640 },
      }
  }
}

/** The value of an answer; fails the test with the refusal otherwise. */
export function valueOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(`refused: ${answer.refusal.code}: ${answer.refusal.message}`)
  return answer.value
}
export function receiptOf(answer: Acknowledgement) {
  if (!answer.ok) throw new Error(`refused: ${answer.refusal.code}: ${answer.refusal.message}`)
  if (answer.state === 'held') throw new Error('held: there is no receipt yet')
  return answer.receipt
}
/** The refusal's code, or "accepted", or "held". */
export function codeOf(answer: Acknowledgement | Answer<unknown>): RefusalCode | 'accepted' | 'held' {
  if (!answer.ok) return answer.refusal.code
  return 'state' in answer ? answer.state : 'accepted'
}
