/**
 * Answers several requests at once with one model. Requests join and leave the batch at every step. A step computes one
 * chunk of one prompt, and the next token of every request whose prompt is prefilled.
 */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { MAX_PARALLEL_CHATS } from '#shared/ipc/worker'
import { isOutOfMemory } from '../model-cache'
import { createAnswer, type Answer, type GrowingAnswer } from './answer'
import { createContinuousBatching } from './continuous-batching'
import { outOfMemory } from './kv-cache'
import type { ChatModel } from './model'
import type { ChatRequest } from './request'
import type { Sequence } from './sequences'
import { createSingleSequence } from './single-sequence'

export interface ChatBackend {
  /**
   * Rejects with `cancelled` after the step that runs, and with `out-of-memory` when memory does not suffice for this
   * request beside the others. The others continue, and fewer requests run at once until a number of answers succeeded.
   */
  answer(request: ChatRequest): Promise<Answer>
  /** requests that may run at once now */
  readonly limit: number
}

/** `free`: bytes of memory that the caches may still take. */
export function createChatBackend(model: ChatModel, free: () => number = freeMemory): ChatBackend {
  const sequences =
    model.batchedCache === null
      ? createSingleSequence(model)
      : createContinuousBatching(model, model.batchedCache, free)
  const waiting: WaitingRequest[] = []
  /** requests whose prompts are not prefilled yet; the first one's chunk is next */
  const prefilling: RunningRequest[] = []
  const generating: RunningRequest[] = []
  let limit = MAX_PARALLEL_CHATS
  let answersAtLimit = 0
  let working = false

  const raiseLimit = (): void => {
    limit++
    answersAtLimit = 0
  }
  const end = (running: RunningRequest): void => {
    running.sequence.close()
    for (const list of [prefilling, generating]) if (list.includes(running)) list.splice(list.indexOf(running), 1)
  }
  const fail = (running: RunningRequest, error: unknown): void => {
    end(running)
    running.reject(error)
  }
  /** Runs the work of one request. When memory does not suffice for it, only that request fails. */
  const guarded = async <T>(running: RunningRequest, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      const ranOut = isOutOfMemory(error)
      if (ranOut) {
        limit = Math.max(1, prefilling.length + generating.length - 1)
        answersAtLimit = 0
      }
      fail(running, ranOut && !(error instanceof Failure) ? outOfMemory() : error)
      return undefined
    }
  }
  const take = (running: RunningRequest, logits: Float32Array): void => {
    try {
      running.next = running.growing.take(logits)
    } catch (error) {
      fail(running, error)
      return
    }
    if (running.next !== null) return
    end(running)
    running.resolve(running.growing.answer)
    if (limit < MAX_PARALLEL_CHATS && ++answersAtLimit >= ANSWERS_BEFORE_MORE) raiseLimit()
  }
  const dropCancelled = (): void => {
    const cancelled = (): Failure => new Failure('cancelled', message('job-was-cancelled'))
    for (const running of [...prefilling, ...generating]) if (running.request.signal.aborted) fail(running, cancelled())
    for (const entry of waiting.filter(({ request }) => request.signal.aborted)) {
      waiting.splice(waiting.indexOf(entry), 1)
      entry.reject(cancelled())
    }
  }
  const admit = (): void => {
    while (waiting.length > 0 && prefilling.length + generating.length < limit) {
      const entry = waiting.shift()!
      const sequence = sequences.open(entry.request.prompt)
      const growing = createAnswer(model, entry.request)
      prefilling.push({ ...entry, sequence, growing, next: null })
    }
  }
  const prefillChunk = async (): Promise<void> => {
    const running = prefilling.shift()
    if (!running) return
    prefilling.push(running)
    const chunk = await guarded(running, () => running.sequence.prefill())
    if (!chunk) return
    const { from, logits } = chunk
    running.request.onComputed?.({ from, to: running.sequence.prefilled, heads: logits === null ? 0 : 1 })
    if (logits === null) return
    prefilling.splice(prefilling.indexOf(running), 1)
    generating.push(running)
    take(running, logits)
  }
  const generate = async (): Promise<void> => {
    const newest = generating.at(-1)
    if (!newest) return
    const batch = [...generating]
    const next = batch.map(({ sequence, next: id }) => ({ sequence, id: id! }))
    const rows = await guarded(newest, () => sequences.step(next))
    if (!rows) return
    for (const { request, growing } of batch) {
      const to = request.prompt.length + growing.answer.ids.length
      request.onComputed?.({ from: to - 1, to, heads: 1 })
    }
    rows.forEach((logits, index) => take(batch[index]!, logits))
  }
  const work = async (): Promise<void> => {
    while (waiting.length + prefilling.length + generating.length > 0) {
      dropCancelled()
      admit()
      await prefillChunk()
      dropCancelled()
      await generate()
    }
  }
  return {
    get limit() {
      return limit
    },
    answer: (request) =>
      new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject })
        if (working) return
        working = true
        void work().finally(() => {
          working = false
        })
      }),
  }
}

interface WaitingRequest {
  request: ChatRequest
  resolve(answer: Answer): void
  reject(error: unknown): void
}

interface RunningRequest extends WaitingRequest {
  sequence: Sequence
  growing: GrowingAnswer
  /** the token chosen last, which passes through the layers next */
  next: number | null
}

/** After memory ran out: so many answers must succeed before one more request runs at once. */
const ANSWERS_BEFORE_MORE = 8

/** Some memory stays free: the machine belongs to the person. */
const KEPT_FREE_BYTES = 256 * 1024 ** 2

function freeMemory(): number {
  return process.availableMemory() - KEPT_FREE_BYTES
}
