/**
 * `npm run bench -- proof [--threads N] [--rounds N] [--seconds N]`: the onnx-cpu engine beside bare uint8 × int8
 * MatMulInteger over the same shapes and threads, alternating in one run; medians.
 */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer } from '#process/peer'
import { BENCHMARK_EPOCH } from '#shared/domain/benchmark'
import { TIERS, type Tier } from '#shared/domain/tiers'
import type { WorkerMethods, WorkerNotifications } from '#shared/domain/worker-protocol'
import { BATCH_ROWS } from '#worker/proof/engine'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'
import { constantWeightsRate, laneRate, type Shape } from '../support/matrix-rates'

const SQUARES = [256, 512, 1024, 2048]

interface Settings {
  threads: number
  rounds: number
  seconds: number
}
interface TierRates {
  tier: Tier
  engine: number
  lanes: number
  constant: number
}

export default async function main(args: string[]): Promise<void> {
  const settings = readSettings(args)
  const peak = await squarePeak(settings)
  const results: TierRates[] = []
  for (const tier of [TIERS['itp1-base'], TIERS['itp1-small']]) results.push(await measureTier(tier, settings))
  const body = report(results, peak, settings)
  console.log(body)
  writeBenchmarkSection('proof', body)
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

async function measureTier(tier: Tier, { threads, rounds, seconds }: Settings): Promise<TierRates> {
  const shapes = productShapes(tier)
  const constant = await constantWeightsRate(shapes, threads)
  const lanes = await laneRate(shapes, threads)
  const programs = createNodeProcessHost(resolve(import.meta.dirname, '../../out/node'))
  const child = await programs.start('worker', { role: 'worker', deviceId: 'bench', threads })
  const worker = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker')
  try {
    const rates: { engine: number; lanes: number; constant: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const measured = { lanes: await lanes(seconds * 1000), constant: await constant(seconds * 1000) }
      const params = { tier: tier.name, engine: 'onnx-cpu', epochSeed: BENCHMARK_EPOCH, seconds } as const
      const benchmark = await worker.request('proof.benchmark', params)
      if (benchmark.checksum !== 'ok') throw new Error(`${tier.name}: wrong digests on this machine`)
      rates.push({ ...measured, engine: benchmark.macsPerSecond })
    }
    const medianOf = (name: 'engine' | 'lanes' | 'constant'): number => median(rates.map((rate) => rate[name]))
    return { tier, engine: medianOf('engine'), lanes: medianOf('lanes'), constant: medianOf('constant') }
  } finally {
    child.kill()
    await Promise.all([child.exited, lanes.close()])
  }
}

/** The products of one layer at the engine's rows. */
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
  const rows = results.map(({ tier, engine, lanes, constant }) => {
    const bare = Math.max(lanes, constant)
    return `| \`${tier.name}\` | ${giga(engine)} | ${giga(constant)} | ${giga(lanes)} | ${(engine / bare).toFixed(2)} | ${(engine / peak.rate).toFixed(2)} |`
  })
  return `
${measuredOn()}. ${threads} threads; medians of ${rounds} rounds of ${seconds} s, alternating. Billions of multiply-accumulates a second.

| tier | onnx-cpu, whole pass | bare products, constant weights | bare products, shared weights | whole pass ÷ faster bare | whole pass ÷ peak |
|---|---|---|---|---|---|
${rows.join('\n')}

- *Whole pass*: nominal MACs of the nonces tried, from the worker's own benchmark: input, all products, attention, windows, digest.
- *Bare products*: the six \`MatMulInteger\` products of one layer, uint8 × int8, ${BATCH_ROWS} rows, again and again, with nothing between them. *Constant weights*: one
  session with ${threads} threads, weights packed when it was loaded. *Shared weights*: a session a thread, weights as inputs, as the engine has them: one copy for all threads, nothing to rebuild in a new epoch.
- *Peak*: ${giga(peak.rate)}, the best square product (${peak.size} × ${peak.size}, constant weights) that was found: what this machine's int8 units give without native code of our own.
`
}
