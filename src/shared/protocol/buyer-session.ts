/** What somebody may do who wants work done. The session knows which buyer it is: others' jobs are unknown to it. */
import { z } from 'zod'
import { MAX_PUBLISHED_CHARACTERS, sentence } from './bounds'
import { newJob } from './job'
import { signedReceipt } from './receipt'
import { answerOf, refusalCode } from './refusal'
import type { Session, SessionProtocol } from './session'

export const buyerJobState = z.object({
  /** `delivered`: a result is being checked, and the job cannot be taken back */
  state: z.enum(['queued', 'leased', 'delivered', 'done', 'failed', 'cancelled']),
  attempts: z.number().int().min(0).max(1000),
  /** why it failed, or why it earned nothing */
  message: sentence.optional(),
  refusal: refusalCode.optional(),
  receipt: signedReceipt.optional(),
})
export type BuyerJobState = z.infer<typeof buyerJobState>

export const buyerProtocol = {
  procedures: {
    /** Queues a job. The same id with the same work again changes nothing. */
    submit: { what: 'job', request: newJob, answer: answerOf(z.null()) },
    /** Takes a job back that is not finished; a rig that works on it learns so when it renews. */
    cancel: { what: 'cancellation', request: z.object({ job: z.uuid() }), answer: answerOf(z.null()) },
    job: { what: 'request', request: z.object({ job: z.uuid() }), answer: answerOf(buyerJobState) },
  },
  events: {
    /** A piece of the text of one of the buyer's jobs, as the rig makes it. `index`: from 0; a new attempt begins at 0. */
    tokens: z.object({
      job: z.uuid(),
      index: z.number().int().min(0).max(1_000_000),
      text: z.string().max(MAX_PUBLISHED_CHARACTERS),
    }),
  },
} as const satisfies SessionProtocol

export type BuyerSession = Session<typeof buyerProtocol>
