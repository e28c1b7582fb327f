/** The coordinator's end of sessions: requests are parsed, answered, and refused by code. */
import { describeParseError, toFailureValue } from '../domain/errors'
import { sentenceOf } from './bounds'
import type { RefusalCode } from './refusal'
import {
  MAX_MESSAGE_CHARACTERS,
  requestMessage,
  type ServiceMessage,
  type SessionEvents,
  type SessionMethods,
  type SessionProtocol,
  type SessionService,
  type TextChannel,
} from './session'

/** Tells an event to a session's other end. */
export type EmitEvent<P extends SessionProtocol> = <E extends keyof P['events'] & string>(
  event: E,
  data: SessionEvents<P>[E],
) => void

/**
 * A session's service out of one handler a procedure. `subscribe`: begins to tell events, until the function that it
 * returns is called.
 */
export function createSessionService<P extends SessionProtocol>(
  protocol: P,
  handlers: SessionMethods<P>,
  subscribe: (emit: EmitEvent<P>) => () => void,
): SessionService {
  const { procedures } = protocol
  return {
    handle: async (method, request) => {
      const procedure = Object.hasOwn(procedures, method) ? procedures[method] : undefined
      if (procedure === undefined) return refused('malformed', 'This session has no such request.')
      const foreign = procedure.refuseForeign?.(request)
      if (foreign !== undefined) return { ok: false, refusal: foreign }
      const parsed = procedure.request.safeParse(request)
      if (!parsed.success) {
        return refused('malformed', `The ${procedure.what} is malformed. ${describeParseError(parsed.error)}.`)
      }
      return handlers[method as keyof P['procedures']](parsed.data as never)
    },
    onEvent: (listener) => subscribe(listener),
  }
}

/** Serves a session over a channel until that closes. What is not a message of the protocol, or longer than one, ends it; what is refused unread does where it does not begin with its id. */
export function serveTexts(
  service: SessionService,
  channel: TextChannel,
  { maximumCharacters }: { maximumCharacters: number } = { maximumCharacters: MAX_MESSAGE_CHARACTERS },
): void {
  let isOpen = true
  const send = (message: ServiceMessage): void => {
    if (isOpen) channel.send(JSON.stringify(message))
  }
  const answer = async (id: number, method: string, request: unknown): Promise<void> => {
    try {
      send({ id, answer: await service.handle(method, request) })
    } catch (error) {
      send({ id, failure: toFailureValue(error).code })
    }
  }
  const unsubscribe = service.onEvent((event, data) => send({ event, data }))
  channel.onClose(() => {
    isOpen = false
    unsubscribe()
  })
  channel.onText((text) => {
    if (text.length > maximumCharacters) return channel.close()
    const unread = service.admit?.(text.length)
    const message = unread === undefined ? requestOf(text) : undefined
    if (message !== undefined) return void answer(message.id, message.method, message.request)
    const id = unread === undefined ? undefined : idOf(text)
    if (id === undefined) channel.close()
    else send({ id, answer: unread })
  })
}

/** The id of a message that is not parsed, from its first characters, where a session's client writes it. */
function idOf(text: string): number | undefined {
  const id = /^\{"id":(\d{1,15}),/.exec(text.slice(0, 32))?.[1]
  return id === undefined ? undefined : Number(id)
}

function requestOf(text: string) {
  try {
    return requestMessage.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // no JSON
  }
}

function refused(code: RefusalCode, message: string) {
  return { ok: false, refusal: { code, message: sentenceOf(message) } }
}
