/** Sessions as those use them who open one: typed, with every answer and event parsed, over any transport. */
import { describeParseError, Failure } from '../domain/errors'
import { message } from '../domain/messages'
import {
  MAX_MESSAGE_CHARACTERS,
  serviceMessage,
  type ServiceMessage,
  type Session,
  type SessionEvents,
  type SessionProtocol,
  type SessionService,
  type TextChannel,
} from './session'

/** Carries a session's requests, answers and events. */
export interface SessionTransport {
  /** Rejects with Failure when there is no answer. */
  ask(method: string, request: unknown): Promise<unknown>
  onEvent(listener: (event: string, data: unknown) => void): void
  onClose(listener: () => void): void
  close(): void
}

export function openSession<P extends SessionProtocol>(protocol: P, transport: SessionTransport): Session<P> {
  const { procedures, events } = protocol
  const listeners = new Map<string, Set<(data: never) => void>>()
  const open = new Set<(failure: Failure) => void>()
  let isOpen = true

  const ask = (method: string, request: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (!isOpen) return reject(closed())
      open.add(reject)
      transport
        .ask(method, request)
        .then((answer) => resolve(parseAnswer(method, answer)))
        .catch(reject)
        .finally(() => open.delete(reject))
    })
  const parseAnswer = (method: string, answer: unknown): unknown => {
    const parsed = procedures[method]?.answer.safeParse(answer)
    if (parsed?.success) return parsed.data
    const fault = parsed === undefined ? 'it was not asked for' : describeParseError(parsed.error)
    throw new Failure('network-refused', message('network-not-understood', { method, fault }))
  }

  transport.onEvent((event, data) => {
    const parsed = Object.hasOwn(events, event) ? events[event]?.safeParse(data) : undefined
    if (!isOpen || !parsed?.success) return
    for (const listener of Array.from(listeners.get(event) ?? [])) listener(parsed.data as never)
  })
  transport.onClose(() => {
    isOpen = false
    for (const reject of Array.from(open)) reject(closed())
  })

  const methods = Object.fromEntries(
    Object.keys(procedures).map((method) => [method, (request: unknown) => ask(method, request)]),
  )
  return {
    ...methods,
    on: <E extends keyof P['events'] & string>(event: E, listener: (data: SessionEvents<P>[E]) => void) => {
      const set = listeners.get(event) ?? new Set()
      listeners.set(event, set.add(listener))
      return () => set.delete(listener)
    },
    close: () => transport.close(),
  } as Session<P>
}

/** The coordinator in the same process: requests, answers and events pass as they are, held to the same schemas. */
export function directTransport(service: SessionService): SessionTransport {
  const closers: (() => void)[] = []
  return {
    ask: (method, request) => service.handle(method, request),
    onEvent: (listener) => void closers.push(service.onEvent(listener)),
    onClose: (listener) => void closers.push(listener),
    close: () => {
      for (const closer of closers.splice(0)) closer()
    },
  }
}

/**
 * A coordinator that is reached by texts. What is not a message of the protocol, or longer than one, ends the session. A
 * request that is longer rejects with Failure `invalid-input`.
 */
export function textTransport(
  channel: TextChannel,
  { maximumCharacters }: { maximumCharacters: number } = { maximumCharacters: MAX_MESSAGE_CHARACTERS },
): SessionTransport {
  const open = new Map<number, { resolve(answer: unknown): void; reject(failure: Failure): void }>()
  const eventListeners: ((event: string, data: unknown) => void)[] = []
  let lastId = 0

  const take = (taken: ServiceMessage): void => {
    if ('event' in taken) {
      for (const listener of eventListeners) listener(taken.event, taken.data)
      return
    }
    const asked = open.get(taken.id)
    open.delete(taken.id)
    if ('failure' in taken)
      asked?.reject(new Failure(taken.failure, message('network-failed', { kind: taken.failure })))
    else asked?.resolve(taken.answer)
  }
  channel.onText((text) => {
    const taken = text.length > maximumCharacters ? undefined : messageOf(text)
    if (taken === undefined) channel.close()
    else take(taken)
  })
  return {
    ask: (method, request) =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        const text = JSON.stringify({ id, method, request })
        if (text.length > maximumCharacters) {
          return reject(new Failure('invalid-input', message('network-takes-less')))
        }
        open.set(id, { resolve, reject })
        channel.send(text)
      }),
    onEvent: (listener) => void eventListeners.push(listener),
    onClose: (listener) => channel.onClose(listener),
    close: () => channel.close(),
  }
}

function messageOf(text: string): ServiceMessage | undefined {
  try {
    return serviceMessage.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // no JSON
  }
}

function closed(): Failure {
  return new Failure('unavailable', message('network-session-closed'))
}
