/** What anyone may read of a network: its key, parameters and epochs. */
import { z } from 'zod'
import { epochNumber, MAX_EPOCHS } from './bounds'
import { signedEpoch } from './epoch'
import { welcome } from './hello'
import { answerOf } from './refusal'
import type { Session, SessionProtocol } from './session'

export const auditProtocol = {
  procedures: {
    /** The network's key, the parameters in force, the present epoch, and the next one once it is published. */
    current: { what: 'request', request: z.object({}), answer: answerOf(welcome) },
    /**
     * Epochs that were announced, from a number on, lowest first: their seeds, commitments and published keys. `next`: the
     * number to go on from; null: there are no more. Epochs under a former key, or of version 1, are left out.
     */
    epochs: {
      what: 'request',
      request: z.object({ from: epochNumber, limit: z.number().int().min(1).max(MAX_EPOCHS) }),
      answer: answerOf(z.object({ epochs: z.array(signedEpoch).max(MAX_EPOCHS), next: epochNumber.nullable() })),
    },
  },
  events: {},
} as const satisfies SessionProtocol

export type Audit = Session<typeof auditProtocol>
