/** What the desktop shell and the engine process say to each other. Ports travel beside a message, not in it. */
import { z } from 'zod'
import { failureSchema } from '#shared/domain/errors'

const id = z.number().int().nonnegative()

/** A screen's own messages, relayed by the shell if its port cannot be passed to the engine (engine under Node). */
const clientMessage = z.object({ type: z.literal('client-message'), client: id, message: z.unknown() })
const clientClosed = z.object({ type: z.literal('client-closed'), client: id })

export const engineToShell = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), version: z.string() }),
  z.object({ type: z.literal('failed'), failure: failureSchema }),
  /** somebody asked this engine to end for good: the window ends too */
  z.object({ type: z.literal('quit-asked') }),
  z.object({ type: z.literal('start-process'), id, program: z.enum(['worker', 'sensors']), start: z.string() }),
  z.object({ type: z.literal('kill-process'), id }),
  clientMessage,
  clientClosed,
])
export type EngineToShell = z.infer<typeof engineToShell>

export const shellToEngine = z.discriminatedUnion('type', [
  /** under Electron with the client's port beside it */
  z.object({ type: z.literal('client'), client: id }),
  clientMessage,
  clientClosed,
  /** with the port to the process beside it */
  z.object({ type: z.literal('process-started'), id, pid: z.number().int() }),
  z.object({ type: z.literal('process-failed'), id, message: z.string() }),
  z.object({ type: z.literal('process-exited'), id, code: z.number().int().nullable() }),
  z.object({ type: z.literal('quit') }),
])
export type ShellToEngine = z.infer<typeof shellToEngine>

/** Given to the engine process at start, as its one argument in JSON. */
export const engineStart = z.object({
  dataDir: z.string().min(1).optional(),
  /** who starts workers and sensors: the shell (utility processes), or the engine itself (Node) */
  host: z.enum(['utility', 'node']),
})
export type EngineStart = z.infer<typeof engineStart>
