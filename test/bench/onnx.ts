/**
 * `npm run bench -- onnx [--threads N] [--rounds N] [--seconds N]`: the onnx-cpu backend beside bare uint8 × int8
 * MatMulInteger over the same shapes and threads, alternating in one run; medians.
 */
import { availableParallelism, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer, type Peer } from '#process/peer'
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { TIERS, type Tier } from '#shared/domain/tiers'
import type { WorkerMethods, WorkerNotifications } from '#shared/ipc/worker'
import { BATCH_ROWS } from '#worker/proof/thread-backend'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'
import { constantWeightsRate, threadRate, threadMilliseconds, type Shape } from '../support/matrix-rates'

const SQUARES = [256, 512, 1024, 2048]

interface Settings {
  threads: number
  rounds: number
  seconds: number
}
/** Multiply-accumulates a second. */
interface Rates {
  /** by the clock, all threads */
  backend: number
  perThread: number
  constant: number
  /** by processor time, of one core */
  backendCore: number
  constantCore: number
}
interface TierRates {
  tier: Tier
  medians: Rates
}
interface BenchWorker {
  peer: Peer<WorkerMethods, WorkerNotifications>
  close(): Promise<void>
}

export default async function main(args: string[]): Promise<void> {
  const settings = readSettings(args)
  const peak = await squarePeak(settings)
  const results: TierRates[] = []
  for (const tier of [TIERS['itp1-base'], TIERS['itp1-small']]) results.push(await measureTier(tier, settings))
  const body = report(results, peak, settings)
  console.log(body)
  writeBenchmarkSection('onnx', body)
}

function readSettings(args: string[]): Settings {
  const option = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { threads: option, rounds: option, seconds: option } })
  const number = (text: string | undefined, standard: number): number => {
    const value = text === undefined ? standard : Number(text)
    if (!Number.isFinite(value) || value <= 0) throw new RangeError(`${text} is not a positive number`)
    return value
  }
  return {
    threads: Math.ceil(number(values.threads, availableParallelism())),
    rounds: Math.ceil(number(values.rounds, 7)),
    seconds: number(values.seconds, 2),
  }
}

async function measureTier(tier: Tier, settings: Settings): Promise<TierRates> {
  const { threads, rounds, seconds } = settings
  const shapes = productShapes(tier)
  const constant = await constantWeightsRate(shapes, threads)
  const constantCore = await constantWeightsRate(shapes, 1, threadMilliseconds)
  const perThread = await threadRate(shapes, threads)
  const worker = await startWorker(threads)
  try {
    const rates: Rates[] = []
    for (let round = 0; round < rounds; round++) {
      rates.push({
        perThread: await perThread(seconds * 1000),
        constant: await constant(seconds * 1000),
        constantCore: await constantCore((seconds * 1000) / 2),
        ...(await engineRates(worker.peer, tier, seconds)),
      })
    }
    const medianOf = (name: keyof Rates): number => median(rates.map((rate) => rate[name]))
    const medians: Rates = {
      backend: medianOf('backend'),
      perThread: medianOf('perThread'),
      constant: medianOf('constant'),
      backendCore: medianOf('backendCore'),
      constantCore: medianOf('constantCore'),
    }
    return { tier, medians }
  } finally {
    await Promise.all([worker.close(), perThread.close()])
  }
}

async function startWorker(threads: number): Promise<BenchWorker> {
  const programs = createNodeProcessHost(resolve(import.meta.dirname, '../../out/node'))
  const child = await programs.start('worker', { role: 'worker', deviceId: 'bench', threads })
  const close = async (): Promise<void> => {
    child.kill()
    await child.exited
  }
  return { peer: createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker'), close }
}

/** The worker's own benchmark, then the processor time of a run between two heartbeats: the worker has nothing else to do. */
async function engineRates(
  worker: BenchWorker['peer'],
  tier: Tier,
  seconds: number,
): Promise<Pick<Rates, 'backend' | 'backendCore'>> {
  const context = { tier: tier.name, backend: 'onnx-cpu', epochSeed: BENCHMARK_EPOCH } as const
  const benchmark = await worker.request('proof.benchmark', { ...context, seconds })
  if (benchmark.checksum !== 'ok') throw new Error(`${tier.name}: wrong digests on this machine`)
  const before = await processorSeconds(worker)
  const run = await worker.request('proof.run', {
    ...context,
    publicKey: BENCHMARK_PUBLIC_KEY,
    unit: 0,
    firstCounter: 0n,
    difficulty: 1n << 200n,
    budgetMilliseconds: seconds * 1000,
  })
  const used = (await processorSeconds(worker)) - before
  return { backend: benchmark.macsPerSecond, backendCore: (run.nonces * Number(tier.macs)) / used }
}

/** At the next heartbeat. */
function processorSeconds(worker: BenchWorker['peer']): Promise<number> {
  return new Promise((settle) => worker.on('heartbeat', ({ cpuSeconds }) => settle(cpuSeconds)))
}

/** The products of one layer at the backend's rows. */
function productShapes({ width, hidden, tokens }: Tier): Shape[] {
  const rows = Math.max(BATCH_ROWS, tokens)
  return [...Array.from({ length: 4 }, (): Shape => [rows, width, width]), [rows, width, hidden], [rows, hidden, width]]
}

/** The best rate of any square product: the machine's int8 peak as far as it can be reached without native code. */
async function squarePeak({ threads, rounds }: Settings): Promise<{ size: number; rate: number }> {
  const measures = await Promise.all(
    SQUARES.map(async (size) => ({
      size,
      measure: await constantWeightsRate([[size, size, size]], threads),
      rates: [] as number[],
    })),
  )
  for (let round = 0; round < rounds; round++) {
    for (const { measure, rates } of measures) rates.push(await measure(300))
  }
  return measures
    .map(({ size, rates }) => ({ size, rate: median(rates) }))
    .reduce((best, next) => (next.rate > best.rate ? next : best))
}

function report(
  results: TierRates[],
  peak: { size: number; rate: number },
  { threads, rounds, seconds }: Settings,
): string {
  const giga = (rate: number): string => (rate / 1e9).toFixed(0)
  const clock = results.map(({ tier, medians: { backend, constant, perThread } }) => {
    const ratio = backend / Math.max(perThread, constant)
    return `| \`${tier.name}\` | ${giga(backend)} | ${giga(constant)} | ${giga(perThread)} | ${ratio.toFixed(2)} | ${(backend / peak.rate).toFixed(2)} |`
  })
  const core = results.map(({ tier, medians: { backendCore, constantCore } }) => {
    return `| \`${tier.name}\` | ${giga(backendCore)} | ${giga(constantCore)} | ${(backendCore / constantCore).toFixed(2)} |`
  })
  return `
${measuredOn()}. ${threads} threads; medians of ${rounds} rounds of ${seconds} s, alternating. Billions of multiply-accumulates a
second. Load average when the measurement ended: ${(loadavg()[0] ?? 0).toFixed(1)}.

By the clock, all threads:

| tier | onnx-cpu, whole pass | bare, constant weights | bare, shared weights | whole pass ÷ faster bare | whole pass ÷ peak |
|---|---|---|---|---|---|
${clock.join('\n')}

By processor time, one core (comparable also when other programs run):

| tier | onnx-cpu, whole pass | bare, constant weights | whole pass ÷ bare |
|---|---|---|---|
${core.join('\n')}

- *Whole pass*: nominal MACs of the nonces tried by the worker process: input, all products, attention, windows, digest.
- *Bare*: the six \`MatMulInteger\` products of one layer, uint8 × int8, ${BATCH_ROWS} rows, again and again, with nothing between them.
  *Constant weights*: one session, weights packed once when it was loaded: the fastest way. *Shared weights*: a session a thread with
  weights as inputs, as the backend has them: one copy for all threads, and nothing to rebuild in a new epoch.
- *Peak*: ${giga(peak.rate)}, the best square product (${peak.size} × ${peak.size}, constant weights, all threads) that was found: what this machine's
  int8 units give without native code of our own.
`
}
