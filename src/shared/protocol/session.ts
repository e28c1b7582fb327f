/**
 * What a session is: a table of procedures and events between a coordinator and one of the three who speak to it. Every
 * request, answer and event has a schema with bounds, and all of them are JSON. Who asks is known from the session, so no
 * request says it.
 */
import { z } from 'zod'
import { failureCode } from '../domain/errors'
import type { Refusal } from './refusal'

export interface SessionProcedure<Q extends z.ZodType = z.ZodType, A extends z.ZodType = z.ZodType> {
  /** what a request is called where it is refused as malformed */
  readonly what: string
  readonly request: Q
  /** has a form for refusals: `answerOf(...)` or `acknowledgement` */
  readonly answer: A
  /** Refuses what another version of the protocol sends, whose form this one does not know. */
  readonly refuseForeign?: (request: unknown) => Refusal | undefined
}

export interface SessionProtocol {
  readonly procedures: Readonly<Record<string, SessionProcedure>>
  readonly events: Readonly<Record<string, z.ZodType>>
}

type Procedures<P extends SessionProtocol> = P['procedures']
export type SessionEvents<P extends SessionProtocol> = { [E in keyof P['events']]: z.output<P['events'][E]> }

/** One asynchronous function a procedure, with parsed requests and answers. */
export type SessionMethods<P extends SessionProtocol> = {
  [M in keyof Procedures<P>]: (
    request: z.output<Procedures<P>[M]['request']>,
  ) => Promise<z.output<Procedures<P>[M]['answer']>>
}

/**
 * A session as who opened it uses it. A refusal is an answer. A method rejects with Failure `unavailable` when the
 * network does not answer or the session is closed, and `network-refused` for an answer that breaks the protocol.
 */
export type Session<P extends SessionProtocol> = SessionMethods<P> & {
  /** Until the returned function is called. Events that break the protocol are dropped. */
  on<E extends keyof P['events'] & string>(event: E, listener: (data: SessionEvents<P>[E]) => void): () => void
  /** Ends the session: open requests reject with `unavailable`, and no event comes any more. */
  close(): void
}

/** The coordinator's end of a session, whatever carries it. */
export interface SessionService {
  /** Called with the length of a message before it is parsed. A refusal answers it unread. Absent: messages are not counted. */
  admit?(characters: number): { ok: false; refusal: Refusal } | undefined
  /** Parses the request, refuses what breaks the protocol by code, and answers. Rejects with what the handler rejects with. */
  handle(method: string, request: unknown): Promise<unknown>
  /** Until the returned function is called. */
  onEvent(listener: (event: string, data: unknown) => void): () => void
}

/** Characters of one message: a job's input, encoded once more, and its envelope. */
export const MAX_MESSAGE_CHARACTERS = 128 * 1024 * 1024

const requestId = z.number().int().min(0)

/** From who opened the session. */
export const requestMessage = z.object({ id: requestId, method: z.string().max(64), request: z.unknown().optional() })

/** From the coordinator. */
export const serviceMessage = z.union([
  z.object({ id: requestId, answer: z.unknown() }).refine(({ answer }) => answer !== undefined),
  // The kind alone: a stranger's words are not shown as if they were Lode's.
  z.object({ id: requestId, failure: failureCode }),
  z.object({ event: z.string().max(64), data: z.unknown() }),
])
export type ServiceMessage = z.infer<typeof serviceMessage>

/** What carries a serialized session: whole texts, in order, both ways. A WebSocket fits. */
export interface TextChannel {
  /** Does nothing when the other side is gone. */
  send(text: string): void
  onText(listener: (text: string) => void): void
  /** Called once, when either side has closed it. */
  onClose(listener: () => void): void
  close(): void
}
