/** The lanes of one worker process: as many threads as the device may use, fed from one queue. */
import { Worker } from 'node:worker_threads'
import { Failure } from '#shared/domain/errors'
import type { LaneAnswer, LaneRequest, LaneResults, LaneStart, LaneTask } from './lane-protocol'

export interface LanePool {
  readonly size: number
  /** whether a task is running or waiting */
  readonly busy: boolean
  /** Runs a task on the next free lane. Rejects with an Error when the task throws: that is a bug. */
  submit<K extends LaneTask['kind']>(task: Extract<LaneTask, { kind: K }>): Promise<LaneResults[K]>
  /** Digests that are computed or wait reject soon with Failure `cancelled`; expansions go on. */
  cancel(): void
  /** More lanes start at once; surplus ones end after the task that they are doing. */
  resize(size: number): void
  close(): Promise<void>
}

interface Waiting {
  task: LaneTask
  resolve: (result: never) => void
  reject: (error: Error) => void
}
interface Lane {
  thread: Worker
  current?: Waiting
  /** ids of the weights that it has */
  known: Set<number>
}

/** `program` is the file whose thread calls `serveLane`. A lane that dies is a bug: its error is thrown. */
export function createLanePool(program: URL, initialSize: number): LanePool {
  const lanes = new Set<Lane>()
  const queue: Waiting[] = []
  let size = initialSize
  let nextId = 1
  const start: LaneStart = { cancels: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) }
  const cancels = new Int32Array(start.cancels)

  const startLane = (): void => {
    const lane: Lane = { thread: new Worker(program, { workerData: start }), known: new Set() }
    lane.thread.on('message', (answer: LaneAnswer) => {
      const done = lane.current
      delete lane.current
      if ('error' in answer) done?.reject(new Error(answer.error))
      else if ('cancelled' in answer) done?.reject(cancelled())
      else done?.resolve(answer.result as never)
      dispatch()
    })
    lane.thread.on('error', (error) => {
      throw error
    })
    lanes.add(lane)
  }
  const dispatch = (): void => {
    for (const lane of lanes) {
      if (lane.current) continue
      if (lanes.size > size) {
        lanes.delete(lane)
        void lane.thread.terminate()
        continue
      }
      const next = queue.shift()
      if (!next) continue
      lane.current = next
      const { weights, ...task } = next.task
      const request: LaneRequest = { id: nextId++, task, weightsId: weights.id, cancels: Atomics.load(cancels, 0) }
      if (!lane.known.has(weights.id)) request.memory = weights.memory
      lane.known.add(weights.id)
      lane.thread.postMessage(request)
    }
  }
  const resize = (wanted: number): void => {
    size = wanted
    while (lanes.size < size) startLane()
    dispatch()
  }
  resize(initialSize)

  return {
    get size() {
      return size
    },
    get busy() {
      return queue.length > 0 || [...lanes].some((lane) => lane.current)
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
      const threads = [...lanes].map((lane) => lane.thread)
      lanes.clear()
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
}

function cancelled(): Failure {
  return new Failure('cancelled', 'the work was cancelled')
}
