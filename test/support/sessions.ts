/** Sessions in their serialized form, inside one process: every message of a test is a text, as over a wire. */
import type { Coordinator } from '#coordinator/coordinator'
import { auditProtocol } from '#shared/protocol/audit'
import { buyerProtocol, type BuyerJobState } from '#shared/protocol/buyer-session'
import type { Epoch } from '#shared/protocol/epoch'
import type { Hello, Welcome } from '#shared/protocol/hello'
import type { JobDelivery, JobOffer, JobRequest, NewBuyerJob } from '#shared/protocol/job'
import type { Acknowledgement, Answer } from '#shared/protocol/refusal'
import { rigProtocol, type RigSession } from '#shared/protocol/rig-session'
import type { Session, SessionProtocol, SessionService, TextChannel } from '#shared/protocol/session'
import { openSession, textTransport, type SessionTransport } from '#shared/protocol/session-client'
import { serveTexts } from '#shared/protocol/session-server'
import type { ShareSubmission } from '#shared/protocol/share'
import type { Unit, UnitRequest } from '#shared/protocol/unit'
import type { Signed } from '#shared/domain/signed'

/** Two ends in one process: what is sent into one arrives at the other, in order and not at once. */
export function textChannelPair(): [TextChannel, TextChannel] {
  const makeEnd = () => ({ texts: [] as ((text: string) => void)[], closers: [] as (() => void)[] })
  const [left, right] = [makeEnd(), makeEnd()]
  let isOpen = true
  const channel = (own: typeof left, other: typeof left): TextChannel => ({
    send: (text) =>
      queueMicrotask(() => {
        if (isOpen) for (const listener of other.texts) listener(text)
      }),
    onText: (listener) => void own.texts.push(listener),
    onClose: (listener) => void own.closers.push(listener),
    close: () => {
      if (!isOpen) return
      isOpen = false
      for (const closer of [...left.closers, ...right.closers]) closer()
    },
  })
  return [channel(left, right), channel(right, left)]
}

export function serializedTransport(service: SessionService): SessionTransport {
  const [client, server] = textChannelPair()
  serveTexts(service, server)
  return textTransport(client)
}

export function openSerialized<P extends SessionProtocol>(protocol: P, service: SessionService): Session<P> {
  return openSession(protocol, serializedTransport(service))
}

/** A network as tests of the coordinator see it: many rigs and buyers, each call over the session of whom it names. */
export interface TestNetwork extends Coordinator {
  hello(hello: Signed<Hello>): Promise<Answer<Welcome>>
  current(): Promise<Welcome>
  epochs(request: { from: number; limit: number }): Promise<{ epochs: Signed<Epoch>[]; next: number | null }>
  leaseUnit(request: UnitRequest & { rig: string }): Promise<Answer<Signed<Unit>>>
  submitShare(share: Signed<ShareSubmission>): Promise<Acknowledgement>
  leaseJob(request: JobRequest & { rig: string }): Promise<Answer<JobOffer>>
  renewJob(rig: string, job: string): Promise<Answer<{ leaseExpiresAt: number }>>
  returnJob(rig: string, job: string, reason: { retry: boolean; message: string }): Promise<Answer<null>>
  submitJob(delivery: JobDelivery): Promise<Acknowledgement>
  /** `ref`: id of the signed result */
  delivery(rig: string, ref: string): Promise<Acknowledgement>
  enqueueJob(job: NewBuyerJob & { buyer: (typeof BUYERS)[number] }): Promise<Answer<null>>
  /** a person's */
  cancelJob(job: string): Promise<Answer<null>>
  /** of whichever buyer; undefined for an unknown job */
  jobState(job: string): Promise<BuyerJobState | undefined>
}

const BUYERS = ['person', 'gateway', 'sample'] as const
const NOBODY = '0'.repeat(64)

export function overSessions(coordinator: Coordinator): TestNetwork {
  const rigs = new Map<string, RigSession>()
  const of = (rig: string | undefined = NOBODY): RigSession => {
    const session = rigs.get(rig) ?? openSerialized(rigProtocol, coordinator.rigSession(rig))
    rigs.set(rig, session)
    return session
  }
  const buyerOf = (buyer: (typeof BUYERS)[number]) => openSerialized(buyerProtocol, coordinator.buyerSession(buyer))
  const audit = openSerialized(auditProtocol, coordinator.audit())
  /** Tests also send what is none. */
  const signerOf = (signed: Partial<Signed<{ rig?: string }>> | null): string | undefined => signed?.body?.rig

  return {
    ...coordinator,
    hello: (hello) => of(signerOf(hello)).hello(hello),
    current: async () => {
      const answer = await audit.current({})
      if (!answer.ok) throw new Error(answer.refusal.message)
      return answer.value
    },
    epochs: async (request) => {
      const answer = await audit.epochs(request)
      if (!answer.ok) throw new Error(answer.refusal.message)
      return answer.value
    },
    leaseUnit: ({ rig, ...request }) => of(rig).leaseUnit(request),
    submitShare: (share) => of(signerOf(share)).submitShare(share),
    leaseJob: ({ rig, ...request }) => of(rig).leaseJob(request),
    renewJob: (rig, job) => of(rig).renewJob({ job }),
    returnJob: (rig, job, reason) => of(rig).returnJob({ job, ...reason }),
    submitJob: (delivery) => of(signerOf((delivery as JobDelivery | null)?.result ?? null)).submitJob(delivery),
    delivery: (rig, ref) => of(rig).delivery({ ref }),
    enqueueJob: ({ buyer, ...job }) => buyerOf(buyer).submit(job),
    cancelJob: (job) => buyerOf('person').cancel({ job }),
    jobState: async (job) => {
      for (const buyer of BUYERS) {
        const answer = await buyerOf(buyer).job({ job })
        if (answer.ok) return answer.value
      }
      return undefined
    },
  }
}
