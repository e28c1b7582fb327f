/** The typed contract between a screen (or the command line) and the engine: requests, answers, events. JSON all the way. */
import { z } from 'zod'
import { failureSchema } from '#shared/domain/errors'

export interface Procedure<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly input: I
  readonly output: O
}
export function procedure<I extends z.ZodType, O extends z.ZodType>(input: I, output: O): Procedure<I, O> {
  return { input, output }
}

/** WebSocket only: the first message. A MessagePort is private and needs none. */
export const authMessage = z.object({ type: z.literal('auth'), token: z.string().max(200) })
export const requestMessage = z.object({
  type: z.literal('request'),
  id: z.number().int().nonnegative(),
  method: z.string().max(100),
  params: z.unknown(),
})
/** Which events this client wants; replaces the former choice. A hidden window asks for none. */
export const subscribeMessage = z.object({ type: z.literal('subscribe'), events: z.array(z.string().max(100)).max(50) })
export const clientMessage = z.discriminatedUnion('type', [requestMessage, subscribeMessage])
export type ClientMessage = z.infer<typeof clientMessage>

export const readyMessage = z.object({ type: z.literal('ready'), version: z.string() })
export const answerMessage = z.object({ type: z.literal('answer'), id: z.number().int(), result: z.unknown() })
export const failureMessage = z.object({
  type: z.literal('failure'),
  id: z.number().int().nullable(),
  error: failureSchema,
})
export const eventMessage = z.object({ type: z.literal('event'), event: z.string(), data: z.unknown() })
export const serverMessage = z.discriminatedUnion('type', [readyMessage, answerMessage, failureMessage, eventMessage])
export type ServerMessage = z.infer<typeof serverMessage>
