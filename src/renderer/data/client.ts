/** The typed client: calls with answers, and events only while somebody looks. */
import {
  events as eventMap,
  procedures,
  type EventData,
  type EventName,
  type MethodName,
  type Params,
  type Result,
} from '#shared/contract/index'
import type { ServerMessage } from '#shared/contract/rpc'
import { describeParseError, Failure } from '#shared/domain/errors'
import { connect, type Link, type LinkState } from './connect'

interface Waiting {
  method: MethodName
  resolve(value: unknown): void
  reject(reason: Failure): void
}

/** One link, its open calls and its listeners. Made once by `client` below; a test makes its own. */
export class Client {
  #link: Link | null = null
  #state: LinkState = 'connecting'
  #lastId = 0
  #waiting = new Map<number, Waiting>()
  #listeners = new Map<EventName, Set<(data: never) => void>>()
  #watchers = new Set<(state: LinkState) => void>()
  #subscribeQueued = false

  /** Opens the link. `document.hidden` decides whether events are asked for. */
  open(): void {
    document.addEventListener('visibilitychange', () => this.#queueSubscribe())
    this.#link = connect({ state: (state) => this.#changeState(state), message: (message) => this.#take(message) })
  }

  get state(): LinkState {
    return this.#state
  }

  /** Called on every change of the link; returns how to stop. */
  watch(watcher: (state: LinkState) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Asks the engine. Rejects with a `Failure` from the engine, or `unavailable` when the link is gone. */
  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
    return new Promise<Result<M>>((resolve, reject) => {
      if (this.#state !== 'ready' || !this.#link) return reject(unreachable())
      const id = ++this.#lastId
      this.#waiting.set(id, { method, resolve: resolve as (value: unknown) => void, reject })
      this.#link.send({ type: 'request', id, method, params })
    })
  }

  /** Listens to one event while the window is visible; returns how to stop. */
  on<E extends EventName>(event: E, listener: (data: EventData<E>) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    listeners.add(listener as (data: never) => void)
    this.#listeners.set(event, listeners)
    this.#queueSubscribe()
    return () => {
      listeners.delete(listener as (data: never) => void)
      this.#queueSubscribe()
    }
  }

  #changeState(state: LinkState): void {
    this.#state = state
    if (state !== 'ready') {
      for (const waiting of this.#waiting.values()) waiting.reject(unreachable())
      this.#waiting.clear()
    } else {
      this.#queueSubscribe()
    }
    for (const watcher of this.#watchers) watcher(state)
  }

  #take(message: ServerMessage): void {
    if (message.type === 'event') return this.#takeEvent(message.event, message.data)
    if (message.type === 'ready' || message.id === null) return
    const waiting = this.#waiting.get(message.id)
    if (!waiting) return
    this.#waiting.delete(message.id)
    if (message.type === 'failure') return waiting.reject(Failure.from(message.error))
    const parsed = procedures[waiting.method].output.safeParse(message.result)
    if (parsed.success) waiting.resolve(parsed.data)
    else waiting.reject(new Failure('internal', `${waiting.method}: ${describeParseError(parsed.error)}`))
  }

  #takeEvent(name: string, data: unknown): void {
    if (!(name in eventMap)) return
    const event = name as EventName
    const parsed = eventMap[event].safeParse(data)
    if (!parsed.success) return
    for (const listener of this.#listeners.get(event) ?? []) listener(parsed.data as never)
  }

  /** One message for all that changed in this turn. A hidden window asks for none. */
  #queueSubscribe(): void {
    if (this.#subscribeQueued) return
    this.#subscribeQueued = true
    queueMicrotask(() => {
      this.#subscribeQueued = false
      const wanted = [...this.#listeners].filter(([, listeners]) => listeners.size > 0).map(([event]) => event)
      this.#link?.send({ type: 'subscribe', events: document.hidden ? [] : wanted })
    })
  }
}

function unreachable(): Failure {
  return new Failure('unavailable', 'Lode does not answer.', 'It is tried again by itself.')
}

export const client = new Client()
