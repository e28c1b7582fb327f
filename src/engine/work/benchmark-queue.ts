/** Benchmarks that were asked of a device, one after another, between its other work. */
import { BENCHMARK_EPOCH, type DeviceBenchmark } from '#shared/domain/benchmark'
import { Failure } from '#shared/domain/errors'
import type { TierName } from '#shared/domain/tiers'
import type { ProofEngine } from '#shared/domain/worker-protocol'
import type { WorkerClient } from './worker-client'

export interface BenchmarkQueue {
  readonly waiting: boolean
  add(engine: ProofEngine, tier: TierName, seconds: number): Promise<DeviceBenchmark>
  /** Runs the first, whose failure goes to who asked for it; false: none waits. */
  runNext(worker: () => Promise<WorkerClient>, onBegin: () => void): Promise<boolean>
  cancelAll(reason: string): void
}

export function createBenchmarkQueue(): BenchmarkQueue {
  const queue: { run: (worker: WorkerClient) => Promise<void>; fail: (error: unknown) => void }[] = []
  return {
    get waiting() {
      return queue.length > 0
    },
    add: (engine, tier, seconds) =>
      new Promise((resolve, reject) => {
        queue.push({
          fail: reject,
          run: async (running) => {
            resolve(await running.request('proof.benchmark', { engine, tier, epochSeed: BENCHMARK_EPOCH, seconds }))
          },
        })
      }),
    runNext: async (worker, onBegin) => {
      const benchmark = queue.shift()
      if (!benchmark) return false
      try {
        const running = await worker()
        onBegin()
        await benchmark.run(running)
      } catch (error) {
        benchmark.fail(error)
      }
      return true
    },
    cancelAll: (reason) => {
      for (const benchmark of queue.splice(0)) benchmark.fail(new Failure('cancelled', reason))
    },
  }
}
