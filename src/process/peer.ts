/** Requests, answers and notifications over a port: how engine, workers and sensors talk. */
import { Failure, readFailure, toFailureValue, type FailureValue } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { Port } from './port'

/** `{ 'method.name': { params; result } }` */
export type MethodMap<M> = { [K in keyof M]: { params: unknown; result: unknown } }

type PeerMessage =
  | { request: number; method: string; params: unknown }
  | { answer: number; result: unknown }
  | { failure: number; error: FailureValue }
  | { notification: string; data: unknown }

export interface Peer<Remote extends MethodMap<Remote>, Incoming> {
  /** Rejects with a Failure: the other side's own, or PeerUnavailable (`unavailable`) when it is gone or `timeoutMilliseconds` are over. */
  request<K extends keyof Remote & string>(
    method: K,
    params: Remote[K]['params'],
    options?: { timeoutMilliseconds?: number },
  ): Promise<Remote[K]['result']>
  on<K extends keyof Incoming & string>(notification: K, listener: (data: Incoming[K]) => void): void
  readonly closed: boolean
}

/** The other side itself gave no answer: it is gone, or time was up. Not a failure that it reported. */
export class PeerUnavailable extends Failure {
  readonly timedOut: boolean

  constructor(words: Message, timedOut: boolean) {
    super('unavailable', words)
    this.timedOut = timedOut
  }
}

/** The asking side. */
export function createPeer<Remote extends MethodMap<Remote>, Incoming>(
  port: Port,
  name: string,
): Peer<Remote, Incoming> {
  const waiting = new Map<
    number,
    { resolve: (value: never) => void; reject: (error: Failure) => void; timer?: NodeJS.Timeout }
  >()
  const listeners = new Map<string, ((data: never) => void)[]>()
  let nextId = 1
  let closed = false
  const gone = (): Failure => new PeerUnavailable(message('process-stopped', { process: name }), false)

  const settle = (id: number): ReturnType<typeof waiting.get> => {
    const entry = waiting.get(id)
    waiting.delete(id)
    clearTimeout(entry?.timer)
    return entry
  }
  port.onMessage((raw) => {
    const received = raw as PeerMessage
    if ('answer' in received) settle(received.answer)?.resolve(received.result as never)
    else if ('failure' in received) settle(received.failure)?.reject(readFailure(received.error))
    else if ('notification' in received) {
      for (const listener of listeners.get(received.notification) ?? []) listener(received.data as never)
    }
  })
  port.onClose(() => {
    closed = true
    for (const id of Array.from(waiting.keys())) settle(id)?.reject(gone())
  })

  return {
    get closed() {
      return closed
    },
    request: (method, params, options = {}) => {
      if (closed) return Promise.reject(gone())
      const id = nextId++
      return new Promise((resolve, reject) => {
        const entry: { resolve: (value: never) => void; reject: (error: Failure) => void; timer?: NodeJS.Timeout } = {
          resolve,
          reject,
        }
        const { timeoutMilliseconds } = options
        if (timeoutMilliseconds !== undefined) {
          entry.timer = setTimeout(() => {
            waiting.delete(id)
            reject(
              new PeerUnavailable(
                message('process-late', { process: name, method, milliseconds: timeoutMilliseconds }),
                true,
              ),
            )
          }, timeoutMilliseconds)
        }
        waiting.set(id, entry)
        port.send({ request: id, method, params } satisfies PeerMessage)
      })
    },
    on: (notification, listener) => {
      const known = listeners.get(notification) ?? []
      known.push(listener as (data: never) => void)
      listeners.set(notification, known)
    },
  }
}

export type MethodHandlers<M extends MethodMap<M>> = {
  [K in keyof M]: (params: M[K]['params']) => Promise<M[K]['result']>
}

/** The answering side. Returns `notify`. */
export function serve<Own extends MethodMap<Own>, Outgoing = Record<never, never>>(
  port: Port,
  handlers: MethodHandlers<Own>,
): { notify: <K extends keyof Outgoing & string>(notification: K, data: Outgoing[K]) => void } {
  port.onMessage((raw) => {
    const request = raw as PeerMessage
    if (!('request' in request)) return
    const handler = handlers[request.method as keyof Own]
    const run = handler
      ? handler(request.params as Own[keyof Own]['params'])
      : Promise.reject(new Failure('wrong-usage', message('process-no-method', { method: request.method })))
    run.then(
      (result) => port.send({ answer: request.request, result } satisfies PeerMessage),
      (error: unknown) => port.send({ failure: request.request, error: toFailureValue(error) } satisfies PeerMessage),
    )
  })
  return { notify: (notification, data) => port.send({ notification, data } satisfies PeerMessage) }
}
