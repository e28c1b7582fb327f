/** Requests, answers and notifications over a port: how engine, workers and sensors talk. */
import { Failure, toFailureValue, type FailureValue } from '#shared/domain/errors'
import type { Port } from './port'

/** `{ 'method.name': { params; result } }` */
export type MethodMap<M> = { [K in keyof M]: { params: unknown; result: unknown } }

type Message =
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

  constructor(message: string, timedOut: boolean) {
    super('unavailable', message, 'It is started again by itself.')
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
  const gone = (): Failure => new PeerUnavailable(`the ${name} process stopped`, false)

  const settle = (id: number): ReturnType<typeof waiting.get> => {
    const entry = waiting.get(id)
    waiting.delete(id)
    clearTimeout(entry?.timer)
    return entry
  }
  port.onMessage((raw) => {
    const message = raw as Message
    if ('answer' in message) settle(message.answer)?.resolve(message.result as never)
    else if ('failure' in message) settle(message.failure)?.reject(Failure.from(message.error))
    else if ('notification' in message) {
      for (const listener of listeners.get(message.notification) ?? []) listener(message.data as never)
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
                `the ${name} process did not answer ${method} within ${timeoutMilliseconds} ms`,
                true,
              ),
            )
          }, timeoutMilliseconds)
        }
        waiting.set(id, entry)
        port.send({ request: id, method, params } satisfies Message)
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
    const message = raw as Message
    if (!('request' in message)) return
    const handler = handlers[message.method as keyof Own]
    const run = handler
      ? handler(message.params as Own[keyof Own]['params'])
      : Promise.reject(new Failure('wrong-usage', `no method ${message.method}`))
    run.then(
      (result) => port.send({ answer: message.request, result } satisfies Message),
      (error: unknown) => port.send({ failure: message.request, error: toFailureValue(error) } satisfies Message),
    )
  })
  return { notify: (notification, data) => port.send({ notification, data } satisfies Message) }
}
