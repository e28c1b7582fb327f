/** Tries nonces on every thread at once, in batches that the batch sizer sizes, until the time is over. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { header } from '#shared/domain/share'
import type { ProofContext } from '#shared/ipc/worker'
import type { Compute, ProofBackend } from './backend'
import type { BatchSizer } from './batch-sizer'

/** Length of a batch where the pipeline is kept full: it need not fit into the rest of the time. */
const IN_FLIGHT_BATCH_MILLISECONDS = 250

/** Tries nonces from `firstNonce` on. Exactly the nonces that the result counts were tried. */
export interface Search {
  context: ProofContext & { publicKey: string }
  firstNonce: bigint
  /** the most nonces to try */
  limit: number
  /** counted from when the epoch is prepared; every stream tries at least one batch */
  budgetMilliseconds: number
  /** after so many nonces the search begins again at firstNonce */
  repeatAfter?: number
  /** asked after each batch */
  enough?: () => boolean
  /** other work waits: no more batches are begun, and cancelled batches count as not tried */
  isYielding?: () => boolean
  onDigest: (nonce: bigint, digest: string) => void
  /** called when the weights are prepared, before the first batch */
  onPrepared?: () => void
  /** batches that the previous search left computing, from `firstNonce` upwards */
  inFlight?: InFlightBatches
  /** at its end each stream leaves an uncounted batch computing, so that no thread waits for the others or for the next search */
  keepPipelineFull?: boolean
}

export interface Tried {
  nonces: number
  milliseconds: number
  /** time in kernels, at most `milliseconds`: the mean over the backend's threads */
  kernelMilliseconds: number
}

/** Batches of successive nonces that still compute. The next search counts their time from `since` on. */
export interface InFlightBatches {
  since: number
  batches: readonly Batch[]
}

export interface Batch {
  firstNonce: bigint
  count: number
  sentAt: number
  /** null: the batch was cancelled */
  result: Promise<Awaited<ReturnType<Compute>> | null>
}

/** `now`: monotonic milliseconds. Throws Failure as the backend does. */
export function search(
  plan: Search,
  backend: ProofBackend,
  batchSizer: BatchSizer,
  now: () => number,
): Promise<Tried & { inFlight: InFlightBatches | null }> {
  return backend.with(plan.context, async (compute) => {
    const { epochSeed, publicKey } = plan.context
    const head = header(epochSeed, publicKey)
    plan.onPrepared?.()
    const inFlight = plan.inFlight?.batches ?? []
    const startedAt = plan.inFlight?.since ?? now()
    const deadline = now() + plan.budgetMilliseconds
    const left: Batch[] = []
    let begun = inFlight.reduce((sum, { count }) => sum + count, 0)
    let nonces = begun
    let kernelMilliseconds = 0
    let firstUntried = plan.firstNonce + BigInt(plan.limit)

    const isYielding = (): boolean => plan.isYielding?.() === true
    const begin = (leftMilliseconds: number, run: Compute = compute): Batch | null => {
      const offset = plan.repeatAfter === undefined ? begun : begun % plan.repeatAfter
      const toTheEnd = (plan.repeatAfter ?? plan.limit) - offset
      const count = Math.min(batchSizer.batch(leftMilliseconds), plan.limit - begun, toTheEnd)
      if (count <= 0) return null
      const firstNonce = plan.firstNonce + BigInt(offset)
      begun += count
      return { firstNonce, count, sentAt: now(), result: run(head, firstNonce, count).catch(cancelledToNull) }
    }

    /** Counts a batch when it is done. False: it was cancelled. */
    const finish = async (batch: Batch): Promise<boolean> => {
      const { firstNonce, count, sentAt } = batch
      const result = await batch.result
      if (result === null) {
        if (!isYielding()) throw new Failure('cancelled', message('work-cancelled'))
        firstUntried = firstNonce < firstUntried ? firstNonce : firstUntried
        return false
      }
      batchSizer.took(count, now() - sentAt)
      kernelMilliseconds += result.kernelMilliseconds
      result.digests.forEach((digest, index) => plan.onDigest(firstNonce + BigInt(index), digest))
      return true
    }

    const fillStream = async (batchBefore?: Batch): Promise<void> => {
      let batch: Batch | null | undefined = batchBefore
      do {
        if (batch === undefined) {
          if (isYielding()) return
          batch = begin(Math.max(deadline - now(), plan.keepPipelineFull === true ? IN_FLIGHT_BATCH_MILLISECONDS : 0))
          if (batch === null) return
          nonces += batch.count
        }
        if (!(await finish(batch))) return
        batch = undefined
      } while (batchSizer.fits(deadline - now()) && plan.enough?.() !== true)
      if (plan.keepPipelineFull !== true || isYielding() || plan.enough?.() === true) return
      // This batch uses the epoch on its own: the search may end before the batch does.
      const behind = begin(IN_FLIGHT_BATCH_MILLISECONDS, (...parameters) =>
        backend.with(plan.context, (run) => run(...parameters)),
      )
      if (behind === null) return
      left.push(behind)
      // The next search sees an error of this batch; without a next search, the next work meets the same error.
      behind.result.catch(() => undefined)
    }

    const streams = Math.max(backend.streams, inFlight.length)
    await Promise.all(Array.from({ length: streams }, (_, index) => fillStream(inFlight[index])))
    const endedAt = now()
    const milliseconds = endedAt - startedAt
    return {
      nonces: Math.min(nonces, Number(firstUntried - plan.firstNonce)),
      milliseconds,
      kernelMilliseconds: Math.min(milliseconds, kernelMilliseconds / backend.threads),
      inFlight: left.length === 0 ? null : { since: endedAt, batches: left },
    }
  })
}

function cancelledToNull(error: unknown): null {
  if (error instanceof Failure && error.code === 'cancelled') return null
  throw error
}
