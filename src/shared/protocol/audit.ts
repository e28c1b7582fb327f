/** What anyone may read of a network: today its key, parameters and epochs. */
import { z } from 'zod'
import { welcome } from './hello'
import { answerOf } from './refusal'
import type { Session, SessionProtocol } from './session'

export const auditProtocol = {
  procedures: {
    /** The network's key, the parameters in force, the present epoch, and the next one once it is published. */
    current: { what: 'request', request: z.object({}), answer: answerOf(welcome) },
  },
  events: {},
} as const satisfies SessionProtocol

export type Audit = Session<typeof auditProtocol>
