/**
 * Answers several requests at once with one model: they join and leave at every step. A step computes one part of one
 * prompt, and the next token of every request whose prompt is through.
 */
import type { ChatSampling } from '#shared/domain/job'
import { Failure } from '#shared/domain/errors'
import { MAX_PARALLEL_CHATS } from '#shared/ipc/worker'
import { isOutOfMemory } from '../residency'
import { createAnswer, type Answer, type GrowingAnswer } from './answer'
import { outOfMemory } from './key-values'
import type { ChatModel } from './model'
import { createSequences, type Sequence } from './sequences'

export interface Ask {
  prompt: readonly number[]
  /** the most tokens to generate */
  room: number
  sampling: ChatSampling | undefined
  stop: readonly string[]
  signal: AbortSignal
  onToken(text: string, index: number): void
  /** After each run of the graph: what it computed of this request. For all that shared the run one after another, at once. */
  onComputed?(part: ComputedPart): void
}

/** Positions `from` to `to` (exclusive) passed through the layers, and `heads` rows of logits were made. */
export interface ComputedPart {
  from: number
  to: number
  heads: number
}

export interface ChatEngine {
  /**
   * Rejects with `cancelled` after the step that runs, and with `out-of-memory` when memory does not suffice for this
   * request beside the others; those go on, and fewer are taken at once until a number of answers went well.
   */
  answer(ask: Ask): Promise<Answer>
  /** requests that may run at once now */
  readonly limit: number
}

/** `free`: bytes of memory that the caches may still take. */
export function createChatEngine(model: ChatModel, free: () => number = freeMemory): ChatEngine {
  const sequences = createSequences(model, free)
  const waiting: Request[] = []
  /** prompts not through yet; the first one's turn is next */
  const absorbing: Running[] = []
  const generating: Running[] = []
  let limit = MAX_PARALLEL_CHATS
  let answersAtLimit = 0
  let working = false

  const raiseLimit = (): void => {
    limit++
    answersAtLimit = 0
  }
  const end = (request: Running): void => {
    request.sequence.close()
    for (const list of [absorbing, generating]) if (list.includes(request)) list.splice(list.indexOf(request), 1)
  }
  const fail = (request: Running, error: unknown): void => {
    end(request)
    request.reject(error)
  }
  /** Runs what one request needs; memory that does not suffice for it ends that request alone. */
  const guarded = async <T>(request: Running, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      const ranOut = isOutOfMemory(error)
      if (ranOut) {
        limit = Math.max(1, absorbing.length + generating.length - 1)
        answersAtLimit = 0
      }
      fail(request, ranOut && !(error instanceof Failure) ? outOfMemory() : error)
      return undefined
    }
  }
  const take = (request: Running, logits: Float32Array): void => {
    try {
      request.next = request.growing.take(logits)
    } catch (error) {
      fail(request, error)
      return
    }
    if (request.next !== null) return
    end(request)
    request.resolve(request.growing.answer)
    if (limit < MAX_PARALLEL_CHATS && ++answersAtLimit >= ANSWERS_BEFORE_MORE) raiseLimit()
  }
  const dropCancelled = (): void => {
    const cancelled = (): Failure => new Failure('cancelled', 'the job was cancelled')
    for (const request of [...absorbing, ...generating]) if (request.ask.signal.aborted) fail(request, cancelled())
    for (const request of waiting.filter(({ ask }) => ask.signal.aborted)) {
      waiting.splice(waiting.indexOf(request), 1)
      request.reject(cancelled())
    }
  }
  const admit = (): void => {
    while (waiting.length > 0 && absorbing.length + generating.length < limit) {
      const request = waiting.shift()!
      const sequence = sequences.open(request.ask.prompt)
      const growing = createAnswer(model, request.ask)
      absorbing.push({ ...request, sequence, growing, next: null })
    }
  }
  const absorbPart = async (): Promise<void> => {
    const request = absorbing.shift()
    if (!request) return
    absorbing.push(request)
    const part = await guarded(request, () => request.sequence.absorb())
    if (!part) return
    const { from, logits } = part
    request.ask.onComputed?.({ from, to: request.sequence.absorbed, heads: logits === null ? 0 : 1 })
    if (logits === null) return
    absorbing.splice(absorbing.indexOf(request), 1)
    generating.push(request)
    take(request, logits)
  }
  const generate = async (): Promise<void> => {
    const newest = generating.at(-1)
    if (!newest) return
    const batch = [...generating]
    const next = batch.map(({ sequence, next: id }) => ({ sequence, id: id! }))
    const rows = await guarded(newest, () => sequences.step(next))
    if (!rows) return
    for (const { ask, growing } of batch) {
      const to = ask.prompt.length + growing.answer.ids.length
      ask.onComputed?.({ from: to - 1, to, heads: 1 })
    }
    rows.forEach((logits, index) => take(batch[index]!, logits))
  }
  const work = async (): Promise<void> => {
    while (waiting.length + absorbing.length + generating.length > 0) {
      dropCancelled()
      admit()
      await absorbPart()
      dropCancelled()
      await generate()
    }
  }
  return {
    get limit() {
      return limit
    },
    answer: (ask) =>
      new Promise((resolve, reject) => {
        waiting.push({ ask, resolve, reject })
        if (working) return
        working = true
        void work().finally(() => {
          working = false
        })
      }),
  }
}

interface Request {
  ask: Ask
  resolve(answer: Answer): void
  reject(error: unknown): void
}

interface Running extends Request {
  sequence: Sequence
  growing: GrowingAnswer
  /** the token chosen last, which passes through the layers next */
  next: number | null
}

/** After memory ran out: so many answers go well before one more is tried at once. */
const ANSWERS_BEFORE_MORE = 8

/** Some memory stays free: the machine belongs to the person. */
const KEPT_FREE_BYTES = 256 * 1024 ** 2

function freeMemory(): number {
  return process.availableMemory() - KEPT_FREE_BYTES
}
