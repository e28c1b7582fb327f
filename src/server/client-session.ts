/** One client of the engine, over any transport: a MessagePort of the window or a WebSocket of the page. */
import type { z } from 'zod'
import { events, procedures, type EventName, type Handlers, type MethodName } from '#shared/contract/index'
import { clientMessage, type ServerMessage } from '#shared/contract/rpc'
import { Failure, describeParseError, toFailureValue } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'

/** The transport of a session. */
export interface ClientTransport {
  send(message: ServerMessage): void
}

/** Called once for every internal error, with the place where it happened. */
export type FaultLog = (where: string, error: unknown) => void

export interface EngineApi {
  readonly version: string
  readonly handlers: Handlers
  /** Calls back for every event until the returned function is called. */
  onEvent(listener: (event: EventName, data: unknown) => void): () => void
}

export interface ClientSession {
  /** Parses and answers one message. Never throws: a message that cannot be parsed is refused, and the engine goes on. */
  receive(raw: unknown): void
  /** Ends the session: the client gets no more events or answers. */
  close(): void
}

/** More pending requests of one client are refused: a client must not fill the engine's memory. */
const MAX_PENDING_REQUESTS = 256

/** Opens the session of one client. */
export function openClientSession(api: EngineApi, transport: ClientTransport, logFault: FaultLog): ClientSession {
  let wanted = new Set<string>()
  let pending = 0
  let open = true

  const stopEvents = api.onEvent((event, data) => {
    if (wanted.has(event)) transport.send({ type: 'event', event, data })
  })
  const refuse = (id: number | null, error: unknown): void => {
    if (!(error instanceof Failure)) logFault('contract', error)
    transport.send({ type: 'failure', id, error: toFailureValue(error) })
  }

  const answer = async (id: number, method: string, params: unknown): Promise<void> => {
    if (!Object.hasOwn(procedures, method))
      throw new Failure('wrong-usage', message('server-no-procedure', { method: method.slice(0, 100) }))
    const name = method as MethodName
    const input = procedures[name].input.safeParse(params ?? null)
    if (!input.success)
      throw new Failure(
        'wrong-usage',
        message('request-wrong', { method: name, fault: describeParseError(input.error) }),
      )
    const handler = api.handlers[name] as (params: unknown) => Promise<unknown>
    const result = await handler(input.data)
    // Results are parsed as strictly as requests, so that screens can rely on the contract.
    const output = (procedures[name].output as z.ZodType).parse(result)
    if (open) transport.send({ type: 'answer', id, result: output })
  }

  transport.send({ type: 'ready', version: api.version })
  return {
    receive: (raw) => {
      const received = clientMessage.safeParse(raw)
      if (!received.success) {
        refuse(
          null,
          new Failure('wrong-usage', message('server-message-wrong', { fault: describeParseError(received.error) })),
        )
        return
      }
      if (received.data.type === 'subscribe') {
        const unknown = received.data.events.find((name) => !Object.hasOwn(events, name))
        if (unknown !== undefined)
          refuse(null, new Failure('wrong-usage', message('server-no-event', { event: unknown })))
        else wanted = new Set(received.data.events)
        return
      }
      const { id, method, params } = received.data
      if (pending >= MAX_PENDING_REQUESTS) {
        refuse(id, new Failure('unavailable', message('server-too-many-requests')))
        return
      }
      pending++
      answer(id, method, params)
        .catch((error: unknown) => {
          if (open) refuse(id, error)
        })
        .finally(() => {
          pending--
        })
    },
    close: () => {
      open = false
      stopEvents()
    },
  }
}
