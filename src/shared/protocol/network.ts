/** The interface between a rig and its network. */
import { z } from 'zod'
import type { signedUnit, UnitRequest } from './unit'
import type { signedShare } from './share'
import type { JobOffer, JobDelivery, JobRequest } from './job'
import type { Acknowledgement, Answer } from './refusal'
import type { signedHello, Welcome } from './hello'

/** A network as the rig sees it (protocol.md §6): practice, a pool and others implement this one interface. */
export interface Network {
  readonly name: string
  hello(hello: z.infer<typeof signedHello>): Promise<Answer<Welcome>>
  /** The present epoch, parameters, and the next epoch once it is published. Cheap; polled. */
  current(): Promise<Welcome>
  leaseUnit(request: UnitRequest): Promise<Answer<z.infer<typeof signedUnit>>>
  submitShare(share: z.infer<typeof signedShare>): Promise<Acknowledgement>
  leaseJob(request: JobRequest): Promise<Answer<JobOffer>>
  /** Keeps a lease for another 30 s. */
  renewJob(rig: string, job: string): Promise<Answer<{ leaseExpiresAt: number }>>
  /** Releases a job unfinished. `retry` false: no rig can do it, and the job fails with the message. */
  returnJob(rig: string, job: string, reason: { retry: boolean; message: string }): Promise<Answer<null>>
  submitJob(delivery: JobDelivery): Promise<Acknowledgement>
}
