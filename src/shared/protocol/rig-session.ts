/**
 * What a rig may do at a network. The session knows which rig it is; bodies that a rig signs name it once more, and are
 * refused (`wrong-key`) where they name another.
 */
import { z } from 'zod'
import { hex64, utcMilliseconds } from '../domain/bytes'
import { isNetworkKey } from '../domain/signed'
import { MAX_PUBLISHED_CHARACTERS, networkName, sentence } from './bounds'
import { signedHello, welcome } from './hello'
import { jobDelivery, jobOffer, jobRequest } from './job'
import { PROTOCOL_VERSION } from './parameters'
import { acknowledgement, answerOf, type Refusal } from './refusal'
import type { Session, SessionProtocol } from './session'
import { signedShare } from './share'
import { signedUnit, unitRequest } from './unit'

const nothing = z.object({})
const deliveryRef = z.object({ ref: hex64 })
const anyVersion = z.object({ body: z.object({ protocolVersion: z.number() }) })
const anyWork = z.object({ body: z.object({ network: networkName }) })

const unsupported: Refusal = {
  code: 'unsupported-version',
  message: `This network speaks version ${PROTOCOL_VERSION} of the protocol.`,
}

function refuseOtherVersion(hello: unknown): Refusal | undefined {
  const version = anyVersion.safeParse(hello)
  return !version.success || version.data.body.protocolVersion === PROTOCOL_VERSION ? undefined : unsupported
}

/** Version 1 named the network by its name. A rig may have such work from before it was updated. */
function refuseFirstVersion(work: unknown): Refusal | undefined {
  const named = anyWork.safeParse(work)
  return !named.success || isNetworkKey(named.data.body.network) ? undefined : unsupported
}

function refuseFirstVersionResult(delivery: unknown): Refusal | undefined {
  return refuseFirstVersion(z.object({ result: z.unknown() }).safeParse(delivery).data?.result)
}

export const rigProtocol = {
  procedures: {
    /** Begins the rig's work; its devices climb their ramps anew. */
    hello: { what: 'hello', request: signedHello, answer: answerOf(welcome), refuseForeign: refuseOtherVersion },
    /** The present epoch, parameters, and the next epoch once it is published. Cheap; polled. */
    current: { what: 'request', request: nothing, answer: answerOf(welcome) },
    leaseUnit: { what: 'unit request', request: unitRequest, answer: answerOf(signedUnit) },
    submitShare: {
      what: 'share',
      request: signedShare,
      answer: acknowledgement,
      refuseForeign: refuseFirstVersion,
    },
    leaseJob: { what: 'job request', request: jobRequest, answer: answerOf(jobOffer) },
    /** Keeps a lease for another 30 s. */
    renewJob: {
      what: 'renewal',
      request: z.object({ job: z.uuid() }),
      answer: answerOf(z.object({ leaseExpiresAt: utcMilliseconds })),
    },
    /** Gives a job back unfinished. `retry` false: no rig could do it, for the reason in `message`. */
    returnJob: {
      what: 'return',
      request: z.object({ job: z.uuid(), retry: z.boolean(), message: sentence }),
      answer: answerOf(z.null()),
    },
    submitJob: {
      what: 'result',
      request: jobDelivery,
      answer: acknowledgement,
      refuseForeign: refuseFirstVersionResult,
    },
    /** What became of a result that was sent. `ref`: the id of the signed result. `unknown-job`: no such result of this rig. */
    delivery: { what: 'question for a result', request: deliveryRef, answer: acknowledgement },
    /** Tells who ordered the job a piece of its text while it is made. `index`: of the piece, from 0; a new attempt begins at 0. */
    publishTokens: {
      what: 'piece of text',
      request: z.object({
        job: z.uuid(),
        index: z.number().int().min(0).max(1_000_000),
        text: z.string().max(MAX_PUBLISHED_CHARACTERS),
      }),
      answer: answerOf(z.null()),
    },
  },
  events: {
    /** A job that somebody asked for waits in the queue. */
    work: nothing,
    /** A result of this rig whose credit was held is settled: `delivery` says how. */
    settled: deliveryRef,
  },
} as const satisfies SessionProtocol

export type RigSession = Session<typeof rigProtocol>
