/** The compute threads of one worker process: as many as the device may use, fed from one queue. */
import { Worker } from 'node:worker_threads'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { ThreadAnswer, ThreadRequest, ThreadResults, ThreadStart, ThreadTask } from './compute-thread-protocol'

export interface ComputeThreadPool {
  readonly size: number
  /** whether a task is running or waiting */
  readonly busy: boolean
  /** Runs a task on the next free thread. Rejects with an Error when the task throws, which is a bug. */
  submit<K extends ThreadTask['kind']>(task: Extract<ThreadTask, { kind: K }>): Promise<ThreadResults[K]>
  /** Makes running and waiting `digests` tasks reject soon with Failure `cancelled`; `expand` tasks continue. */
  cancel(): void
  /** Changes the number of threads. New threads start at once; surplus threads end after their current task. */
  resize(size: number): void
  close(): Promise<void>
}

interface Waiting {
  task: ThreadTask
  resolve: (result: never) => void
  reject: (error: Error) => void
}
interface ComputeThread {
  worker: Worker
  current?: Waiting
  /** ids of the weights that the thread has received */
  known: Set<number>
}

/** `program`: the file whose thread calls `serveComputeThread`. A thread that dies is a bug: its error is thrown. */
export function createComputeThreadPool(program: URL, initialSize: number): ComputeThreadPool {
  const threads = new Set<ComputeThread>()
  const queue: Waiting[] = []
  let size = initialSize
  let nextId = 1
  const start: ThreadStart = { cancels: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) }
  const cancels = new Int32Array(start.cancels)

  const startThread = (): void => {
    const thread: ComputeThread = { worker: new Worker(program, { workerData: start }), known: new Set() }
    thread.worker.on('message', (answer: ThreadAnswer) => {
      const done = thread.current
      delete thread.current
      if ('error' in answer) done?.reject(new Error(answer.error))
      else if ('cancelled' in answer) done?.reject(cancelled())
      else done?.resolve(answer.result as never)
      dispatch()
    })
    thread.worker.on('error', (error) => {
      throw error
    })
    threads.add(thread)
  }
  const dispatch = (): void => {
    for (const thread of threads) {
      if (thread.current) continue
      if (threads.size > size) {
        threads.delete(thread)
        void thread.worker.terminate()
        continue
      }
      const next = queue.shift()
      if (!next) continue
      thread.current = next
      const { weights, ...task } = next.task
      const request: ThreadRequest = { id: nextId++, task, weightsId: weights.id, cancels: Atomics.load(cancels, 0) }
      if (!thread.known.has(weights.id)) request.memory = weights.memory
      thread.known.add(weights.id)
      thread.worker.postMessage(request)
    }
  }
  const resize = (wanted: number): void => {
    size = wanted
    while (threads.size < size) startThread()
    dispatch()
  }
  resize(initialSize)

  return {
    get size() {
      return size
    },
    get busy() {
      return queue.length > 0 || [...threads].some((thread) => thread.current)
    },
    submit: (task) =>
      new Promise((resolve, reject) => {
        queue.push({ task, resolve, reject })
        dispatch()
      }),
    cancel: () => {
      Atomics.add(cancels, 0, 1)
      for (const waiting of queue.splice(0)) {
        if (waiting.task.kind === 'digests') waiting.reject(cancelled())
        else queue.push(waiting)
      }
    },
    resize,
    close: async () => {
      const workers = [...threads].map(({ worker }) => worker)
      threads.clear()
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

function cancelled(): Failure {
  return new Failure('cancelled', message('work-cancelled'))
}
