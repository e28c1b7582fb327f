/** The benchmarks that were requested of a device: they run one after another, in slices between its other work. */
import type { BenchmarkProgress } from '#shared/domain/benchmark'
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import { createBenchmarkTask, type BenchmarkOutcome, type BenchmarkPlan, type BenchmarkTask } from './benchmark-task'
import type { WorkerClient } from '../workers'

export interface BenchmarkQueue {
  readonly waiting: boolean
  /** progress of the first benchmark; null: there is none */
  readonly progress: BenchmarkProgress | null
  /** Queues a benchmark. Settles with its outcome; rejects with the failure that ended it. */
  add(plan: BenchmarkPlan): Promise<BenchmarkOutcome>
  /** Runs a slice of the first benchmark; a failure goes to its caller. False: there is no benchmark. */
  runNext(worker: () => Promise<WorkerClient>, onBegin: (activity: Message) => void): Promise<boolean>
  /** Rejects each benchmark with Failure `cancelled` at once. Settles when the slice under way has ended; null: no slice is under way. */
  cancelAll(reason: Message): Promise<void> | null
}

export function createBenchmarkQueue(clock: { now(): number; monotonic(): number }): BenchmarkQueue {
  interface Entry {
    task: BenchmarkTask
    settle: (outcome: BenchmarkOutcome) => void
    fail: (error: unknown) => void
  }
  const queue: Entry[] = []
  let slice: Promise<void> | null = null

  const runSlice = async (entry: Entry, worker: () => Promise<WorkerClient>): Promise<void> => {
    const leave = (): void => {
      const index = queue.indexOf(entry)
      if (index >= 0) queue.splice(index, 1)
    }
    try {
      const outcome = await entry.task.slice(await worker())
      if (outcome === null) return
      leave()
      entry.settle(outcome)
    } catch (error) {
      leave()
      entry.fail(error)
    }
  }

  return {
    get waiting() {
      return queue.length > 0
    },
    get progress() {
      return queue[0]?.task.progress ?? null
    },
    add: (plan) =>
      new Promise((settle, fail) => {
        queue.push({ task: createBenchmarkTask(plan, clock), settle, fail })
      }),
    runNext: async (worker, onBegin) => {
      const [first] = queue
      if (first === undefined) return false
      onBegin(activityOf(first.task.progress))
      slice = runSlice(first, worker)
      await slice
      slice = null
      return true
    },
    cancelAll: (reason) => {
      const running = queue.length > 0 ? slice : null
      for (const { task, fail } of queue.splice(0)) {
        task.cancel()
        fail(new Failure('cancelled', reason))
      }
      return running
    },
  }
}

function activityOf({ phase, tier, isStress }: BenchmarkProgress): Message {
  switch (phase) {
    case 'preparing':
      return message('activity-preparing-weights', { tier })
    case 'checking':
      return message('activity-checking-digests', { tier })
    case 'warming-up':
      return message('activity-warming-up', { tier })
    case 'measuring':
      return message(isStress ? 'activity-stress-test' : 'activity-measuring', { tier })
  }
}
