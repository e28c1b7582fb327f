/**
 * `npm run bench -- native [--rounds N] [--seconds N]`: the CPU driver beside the chip's own int8 peak and beside the
 * onnxruntime engine, and with one thread beside all of them; alternating in one run, medians.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer, type Peer } from '#process/peer'
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { TIERS, type Tier } from '#shared/domain/tiers'
import type { ProofEngine, WorkerMethods, WorkerNotifications } from '#shared/domain/worker-protocol'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'

const root = resolve(import.meta.dirname, '../..')
const build = resolve(root, 'out/native/build')
/** What mining asks for at once. */
const SLICE_MILLISECONDS = 250
/** Epochs of the practice network last ten minutes. */
const EPOCH_MILLISECONDS = 600_000

type Worker = Peer<WorkerMethods, WorkerNotifications>
interface Round {
  peak: number
  native: number
  single: number
  onnx: number
  kernelShare: number
}

export default async function main(args: string[]): Promise<void> {
  const option = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { rounds: option, seconds: option } })
  const rounds = Number(values.rounds ?? 7)
  const seconds = Number(values.seconds ?? 1.5)
  if (!(rounds >= 1) || !(seconds > 0)) throw new RangeError('rounds and seconds are positive numbers')
  const threads = availableParallelism()
  const made = spawnSync('cmake', ['--build', build, '--target', 'int8_peak'], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`the peak cannot be measured on this machine: ${made.stderr}`)
  const sections: string[] = []
  for (const tier of [TIERS['itp1-base'], TIERS['itp1-small']])
    sections.push(await measureTier(tier, threads, rounds, seconds))
  const body = `
${measuredOn()}. ${threads} threads; medians of ${rounds} rounds of ${seconds} s, alternating. Billions of multiply-accumulates a
second. Load average when the measurement ended: ${(loadavg()[0] ?? 0).toFixed(1)}.

| tier | native | peak | onnx-cpu | native, 1 thread | native ÷ peak | native ÷ onnx-cpu | ${threads} threads ÷ 1 | in kernels | new epoch |
|---|---|---|---|---|---|---|---|---|---|
${sections.join('\n')}

- *Native*: nominal MACs of the nonces tried by the worker process with the CPU driver, whole pass: input, all products, attention,
  windows, digest.
- *Peak*: ${peakOf(1, 50).name} with operands in registers on all threads, nothing loaded or stored.
- *In kernels*: share of the worker's time inside the driver's layers, in slices of ${SLICE_MILLISECONDS} ms as mining asks for them.
- *New epoch*: time to make an epoch's weights with all threads, and as a share of an epoch of ten minutes; while mining they are
  made ahead.
`
  console.log(body)
  writeBenchmarkSection('native', body)
}

async function measureTier(tier: Tier, threads: number, rounds: number, seconds: number): Promise<string> {
  const workers = [await startWorker(threads), await startWorker(1), await startWorker(threads)] as const
  const [all, one, other] = workers.map(({ peer }) => peer) as [Worker, Worker, Worker]
  try {
    const preparing = performance.now()
    await all.request('proof.prepare', { tier: tier.name, engine: 'native', epochSeed: BENCHMARK_EPOCH })
    const epochMilliseconds = performance.now() - preparing
    const measured: Round[] = []
    for (let round = 0; round < rounds; round++) {
      measured.push({
        peak: peakOf(threads, seconds * 1000).rate,
        native: await rateOf(all, tier, 'native', seconds),
        single: await rateOf(one, tier, 'native', seconds),
        onnx: await rateOf(other, tier, 'onnx-cpu', seconds),
        kernelShare: await kernelShare(all, tier),
      })
    }
    const middle = (name: keyof Round): number => median(measured.map((round) => round[name]))
    const giga = (name: keyof Round): string => (middle(name) / 1e9).toFixed(0)
    const ratio = (above: keyof Round, below: keyof Round): string =>
      median(measured.map((round) => round[above] / round[below])).toFixed(2)
    const share = ((100 * epochMilliseconds) / EPOCH_MILLISECONDS).toFixed(2)
    return `| \`${tier.name}\` | ${giga('native')} | ${giga('peak')} | ${giga('onnx')} | ${giga('single')} | ${ratio('native', 'peak')} | ${ratio('native', 'onnx')} | ${ratio('native', 'single')} | ${(100 * middle('kernelShare')).toFixed(1)} % | ${epochMilliseconds.toFixed(0)} ms, ${share} % |`
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

async function rateOf(worker: Worker, tier: Tier, engine: ProofEngine, seconds: number): Promise<number> {
  const asked = { tier: tier.name, engine, epochSeed: BENCHMARK_EPOCH, seconds }
  const { checksum, macsPerSecond } = await worker.request('proof.benchmark', asked)
  if (checksum !== 'ok') throw new Error(`${engine} computes wrong digests of ${tier.name} on this machine`)
  return macsPerSecond
}

async function kernelShare(worker: Worker, tier: Tier): Promise<number> {
  const run = await worker.request('proof.run', {
    tier: tier.name,
    engine: 'native',
    epochSeed: BENCHMARK_EPOCH,
    publicKey: BENCHMARK_PUBLIC_KEY,
    unit: 0,
    firstCounter: 0n,
    difficulty: 1n << 200n,
    budgetMilliseconds: SLICE_MILLISECONDS,
  })
  return run.kernelMilliseconds / run.milliseconds
}

function peakOf(threads: number, milliseconds: number): { rate: number; name: string } {
  const program = resolve(build, 'int8_peak')
  const { stdout, status } = spawnSync(program, [String(threads), String(Math.round(milliseconds))], {
    encoding: 'utf8',
  })
  const [, rate, name] = /^(\S+) (.+)$/m.exec(stdout) ?? []
  if (status !== 0 || rate === undefined || name === undefined)
    throw new Error('this processor has no instruction whose peak is known')
  return { rate: Number(rate), name }
}
