/**
 * `npm run bench -- proof [--rounds N] [--seconds N] [--mining-seconds N]`: the CPU driver beside the chip's own int8 peak,
 * beside the onnxruntime backend and beside itself on one thread, alternating in one run, medians; then a whole engine that
 * mines with it, and what memory and instructions would allow.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { availableParallelism, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer, type Peer } from '#process/peer'
import { BENCHMARK_EPOCH } from '#shared/domain/benchmark'
import { TIERS, type Tier } from '#shared/domain/tiers'
import type { BackendName } from '#shared/domain/backend'
import type { WorkerMethods, WorkerNotifications } from '#shared/ipc/worker'
import { BATCH_ROWS } from '#worker/proof/thread-backend'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'
import { watchMining, type WatchedMining } from '../support/watched-mining'

const root = resolve(import.meta.dirname, '../..')
const build = resolve(root, 'out/native/build')
/** Epochs of the practice network last ten minutes; while they are watched, 20 s. */
const EPOCH_MILLISECONDS = 600_000
const WATCHED_EPOCH_SECONDS = 20
const TARGETS = {
  peak: { 'itp1-base': 0.8, 'itp1-small': 0.6 } as Partial<Record<Tier['name'], number>>,
  onnx: 1.7,
  /** of the threads there are: 1.9 with two */
  threads: 0.95,
  kernels: 0.97,
  epoch: 0.01,
}

type Worker = Peer<WorkerMethods, WorkerNotifications>
/** Multiply-accumulates a second. */
interface Round {
  peak: number
  native: number
  single: number
  onnx: number
}
interface Measured {
  tier: Tier
  rounds: Round[]
  /** making an epoch's weights with all threads */
  epochMilliseconds: number
  mining: WatchedMining
}

export default async function main(args: string[]): Promise<void> {
  const option = (standard: string) => ({ type: 'string', default: standard }) as const
  const options = { rounds: option('7'), seconds: option('1.5'), 'mining-seconds': option('30') }
  const { values } = parseArgs({ args, options })
  const [rounds, seconds, miningSeconds] = [values.rounds, values.seconds, values['mining-seconds']].map(Number)
  if (!(Number(rounds) >= 1) || !(Number(seconds) > 0) || !(Number(miningSeconds) > 0))
    throw new RangeError('rounds and seconds are positive numbers')
  const threads = availableParallelism()
  for (const step of [[build], ['--build', build, '--target', 'chip_limits']]) {
    const made = spawnSync('cmake', step, { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`the peak cannot be measured on this machine: ${made.stderr}`)
  }
  const measured: Measured[] = []
  for (const tier of [TIERS['itp1-base'], TIERS['itp1-small']]) {
    const rates = await measureRates(tier, threads, Number(rounds), Number(seconds))
    const mining = await watchMining(tier.name, threads, Number(miningSeconds), WATCHED_EPOCH_SECONDS)
    measured.push({ tier, ...rates, mining })
  }
  const memory = median(Array.from({ length: 3 }, () => limitOf('memory', threads, 700).rate))
  const body = report(measured, memory, threads, `medians of ${rounds} rounds of ${seconds} s, alternating`)
  console.log(body)
  writeBenchmarkSection('proof', body)
}

async function measureRates(
  tier: Tier,
  threads: number,
  count: number,
  seconds: number,
): Promise<Pick<Measured, 'rounds' | 'epochMilliseconds'>> {
  const workers = [await startWorker(threads), await startWorker(1), await startWorker(threads)] as const
  const [all, one, other] = workers.map(({ peer }) => peer) as [Worker, Worker, Worker]
  try {
    const rounds: Round[] = []
    const preparing: number[] = []
    for (let round = 0; round < count; round++) {
      rounds.push({
        peak: limitOf('products', threads, seconds * 1000).rate,
        native: await rateOf(all, tier, 'native', seconds),
        single: await rateOf(one, tier, 'native', seconds),
        onnx: await rateOf(other, tier, 'onnx-cpu', seconds),
      })
      const fresh = { tier: tier.name, backend: 'native', epochSeed: randomBytes(32).toString('hex') } as const
      preparing.push((await all.request('proof.prepare', fresh)).milliseconds)
    }
    return { rounds, epochMilliseconds: median(preparing) }
  } finally {
    await Promise.all(workers.map(({ close }) => close()))
  }
}

async function startWorker(threads: number): Promise<{ peer: Worker; close(): Promise<void> }> {
  const child = await createNodeProcessHost(resolve(root, 'out/node')).start('worker', {
    role: 'worker',
    deviceId: 'bench',
    threads,
  })
  return {
    peer: createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker'),
    close: async () => {
      child.kill()
      await child.exited
    },
  }
}

async function rateOf(worker: Worker, tier: Tier, backend: BackendName, seconds: number): Promise<number> {
  const asked = { tier: tier.name, backend, epochSeed: BENCHMARK_EPOCH, seconds }
  const { checksum, macsPerSecond } = await worker.request('proof.benchmark', asked)
  if (checksum !== 'ok') throw new Error(`${backend} computes wrong digests of ${tier.name} on this machine`)
  return macsPerSecond
}

function limitOf(what: 'products' | 'memory', threads: number, milliseconds: number): { rate: number; name: string } {
  const program = resolve(build, 'chip_limits')
  const parameters = [what, String(threads), String(Math.round(milliseconds))]
  const { stdout, status } = spawnSync(program, parameters, { encoding: 'utf8' })
  const [, rate, name] = /^(\S+) (.+)$/m.exec(stdout) ?? []
  if (status !== 0 || rate === undefined || name === undefined)
    throw new Error('this processor has no instruction whose peak is known')
  return { rate: Number(rate), name }
}

function report(measured: readonly Measured[], memory: number, threads: number, how: string): string {
  const instruction = limitOf('products', 1, 50).name
  const load = (loadavg()[0] ?? 0).toFixed(1)
  return `
${measuredOn()}. ${threads} threads; ${how}. Billions of multiply-accumulates a second. Load average when the measurement
ended: ${load}. A ratio is the median of the rounds' ratios; behind it stands its target and whether it was met.

| tier | native | peak | onnx-cpu | native, 1 thread | native ÷ peak | native ÷ onnx-cpu | peak ÷ onnx-cpu | ${threads} threads ÷ 1 |
|---|---|---|---|---|---|---|---|---|
${measured.map((tier) => rateRow(tier, threads)).join('\n')}

Mining through the whole application (engine, worker, verifier, sensors, practice network), epochs of ${WATCHED_EPOCH_SECONDS} s:

| tier | in kernels | within slices | between slices | new weights, all threads | wait at a new epoch | change of epoch, of ten minutes |
|---|---|---|---|---|---|---|
${measured.map(miningRow).join('\n')}

What memory and instructions allow (${(memory / 1e9).toFixed(1)} GB/s were read from memory on all threads):

| tier | weights | rows a pass | MACs a byte of weights | memory feeds | peak | limit | products by \`${instruction}\` a nonce |
|---|---|---|---|---|---|---|---|
${measured.map((tier) => rooflineRow(tier, memory, instruction)).join('\n')}

- *Native*: nominal MACs of the nonces tried by the worker process with the CPU driver, whole pass: input, all products, attention,
  windows, digest.
- *Peak*: ${instruction} with operands in registers on all threads, nothing loaded or stored. *Peak ÷ onnx-cpu* is the most
  that any program could be above onnxruntime here.
- *In kernels*: time in the driver's layers, of all time by the clock, everything within and between two slices counted. The
  seconds in which a model that is new is measured, once, are a useful job's and are left out.
- *New weights*: all threads do nothing else; while mining they are made ahead, in turns with nonces. *Wait*: from the last nonce of an
  epoch to the first of the next, beyond the usual. Both together are the *change*.
- *Rows a pass*: rows of several nonces that share one pass over the weights; each thread makes its own pass. *Memory feeds*: what it
  could feed if every pass read all weights from memory and nothing from a cache. The lower of this and the peak is the *limit*.
`
}

function rateRow({ tier, rounds }: Measured, threads: number): string {
  const giga = (name: keyof Round): string => (median(rounds.map((round) => round[name])) / 1e9).toFixed(0)
  const ratio = (above: keyof Round, below: keyof Round, target: number): string => {
    const value = median(rounds.map((round) => round[above] / round[below]))
    return `${value.toFixed(2)} (${atLeast(value, target)})`
  }
  const cells = [
    `\`${tier.name}\``,
    ...(['native', 'peak', 'onnx', 'single'] as const).map(giga),
    ratio('native', 'peak', TARGETS.peak[tier.name] ?? 0),
    ratio('native', 'onnx', TARGETS.onnx),
    median(rounds.map((round) => round.peak / round.onnx)).toFixed(2),
    ratio('native', 'single', TARGETS.threads * threads),
  ]
  return `| ${cells.join(' | ')} |`
}

function miningRow({ tier, epochMilliseconds, mining }: Measured): string {
  const { kernelShare, epochGapMilliseconds: gap } = mining
  const cost = (epochMilliseconds + (gap ?? 0)) / EPOCH_MILLISECONDS
  const verdict = `at most ${percent(TARGETS.epoch)}: ${cost <= TARGETS.epoch ? 'met' : 'missed'}`
  const cells = [
    `\`${tier.name}\``,
    `${percent(kernelShare)} (${atLeast(kernelShare, TARGETS.kernels, percent)})`,
    percent(mining.sliceShare),
    `${mining.betweenMilliseconds.toFixed(1)} ms`,
    `${epochMilliseconds.toFixed(0)} ms`,
    gap === null ? 'none seen' : `${gap.toFixed(0)} ms`,
    `${percent(cost)} (${verdict})`,
  ]
  return `| ${cells.join(' | ')} |`
}

function rooflineRow({ tier, rounds }: Measured, memory: number, instruction: string): string {
  const rows = Math.max(BATCH_ROWS, tier.tokens)
  const macsPerByte = (Number(tier.macs) * rows) / tier.tokens / tier.weightBytes
  const fed = memory * macsPerByte
  const peak = median(rounds.map((round) => round.peak))
  const products = Number(tier.macs) / macsOf(instruction)
  const cells = [
    `\`${tier.name}\``,
    `${(tier.weightBytes / 1e6).toFixed(1)} MB`,
    String(rows),
    macsPerByte.toFixed(0),
    (fed / 1e9).toFixed(0),
    (peak / 1e9).toFixed(0),
    fed < peak ? 'memory' : 'arithmetic',
    `${(products / 1e6).toFixed(1)} million`,
  ]
  return `| ${cells.join(' | ')} |`
}

/** Multiply-accumulates of one instruction. */
function macsOf(instruction: string): number {
  const bits = /(\d+) bits/.exec(instruction)?.[1]
  if (bits !== undefined) return Number(bits) / 8
  return instruction === 'smmla' ? 32 : 16
}

function percent(value: number): string {
  return `${(100 * value).toFixed(value < 0.1 ? 2 : 1)} %`
}

function atLeast(
  value: number,
  target: number,
  format: (value: number) => string = (number) => number.toFixed(2),
): string {
  return `at least ${format(target)}: ${value >= target ? 'met' : 'missed'}`
}
