/** Tries nonces on every thread at once, in batches that the pacer sizes, until the time is over. */
import { Failure } from '#shared/domain/errors'
import { header } from '#shared/domain/share'
import type { ProofContext } from '#shared/ipc/worker'
import type { Compute, ProofBackend } from './backend'
import type { Pacer } from './pacer'

/** Of one batch where the search carries on: it need not fit into what is left of the time. */
const CARRIED_BATCH_MILLISECONDS = 250

/** Tries firstNonce … Exactly the nonces that are counted in the result were tried. */
export interface Search {
  context: ProofContext & { publicKey: string }
  firstNonce: bigint
  /** the most nonces to try */
  limit: number
  /** counted from when the epoch is prepared; every stream tries at least one batch */
  budgetMilliseconds: number
  /** begins again at firstNonce after so many */
  repeatAfter?: number
  /** asked after each batch */
  enough?: () => boolean
  /** somebody waits: nothing more is begun, and what was cancelled counts as not tried */
  isYielding?: () => boolean
  onDigest: (nonce: bigint, digest: string) => void
  /** the weights are there, and nonces are tried from now on */
  onPrepared?: () => void
  /** what the search before this one left computing, from `firstNonce` upwards */
  carried?: Carried
  /** at its end each stream leaves a batch computing, uncounted, so that no thread waits for the others or for the next search */
  carriesOn?: boolean
}

export interface Tried {
  nonces: number
  milliseconds: number
  /** of the streams' kernels, all threads together */
  kernelMilliseconds: number
}

/** Batches that still compute, from successive nonces; whose counting begins at `since`. */
export interface Carried {
  since: number
  batches: readonly Batch[]
}

export interface Batch {
  firstNonce: bigint
  count: number
  sentAt: number
  /** null: cancelled */
  result: Promise<Awaited<ReturnType<Compute>> | null>
}

/** `now`: monotonic milliseconds. Throws Failure as the backend does. */
export function search(
  plan: Search,
  backend: ProofBackend,
  pace: Pacer,
  now: () => number,
): Promise<Tried & { carried: Carried | null }> {
  return backend.with(plan.context, async (compute) => {
    const { epochSeed, publicKey } = plan.context
    const head = header(epochSeed, publicKey)
    plan.onPrepared?.()
    const carried = plan.carried?.batches ?? []
    const startedAt = plan.carried?.since ?? now()
    const deadline = now() + plan.budgetMilliseconds
    const left: Batch[] = []
    let begun = carried.reduce((sum, { count }) => sum + count, 0)
    let nonces = begun
    let kernelMilliseconds = 0
    let firstUntried = plan.firstNonce + BigInt(plan.limit)

    const isYielding = (): boolean => plan.isYielding?.() === true
    const begin = (leftMilliseconds: number, run: Compute = compute): Batch | null => {
      const offset = plan.repeatAfter === undefined ? begun : begun % plan.repeatAfter
      const toTheEnd = (plan.repeatAfter ?? plan.limit) - offset
      const count = Math.min(pace.batch(leftMilliseconds), plan.limit - begun, toTheEnd)
      if (count <= 0) return null
      const firstNonce = plan.firstNonce + BigInt(offset)
      begun += count
      return { firstNonce, count, sentAt: now(), result: run(head, firstNonce, count).catch(cancelledToNull) }
    }

    /** False: it was cancelled. */
    const finish = async (batch: Batch): Promise<boolean> => {
      const { firstNonce, count, sentAt } = batch
      const result = await batch.result
      if (result === null) {
        if (!isYielding()) throw new Failure('cancelled', 'the work was cancelled')
        firstUntried = firstNonce < firstUntried ? firstNonce : firstUntried
        return false
      }
      pace.took(count, now() - sentAt)
      kernelMilliseconds += result.kernelMilliseconds
      result.digests.forEach((digest, index) => plan.onDigest(firstNonce + BigInt(index), digest))
      return true
    }

    const fillStream = async (batchBefore?: Batch): Promise<void> => {
      let batch: Batch | null | undefined = batchBefore
      do {
        if (batch === undefined) {
          if (isYielding()) return
          batch = begin(Math.max(deadline - now(), plan.carriesOn === true ? CARRIED_BATCH_MILLISECONDS : 0))
          if (batch === null) return
          nonces += batch.count
        }
        if (!(await finish(batch))) return
        batch = undefined
      } while (pace.fits(deadline - now()) && plan.enough?.() !== true)
      if (plan.carriesOn !== true || isYielding() || plan.enough?.() === true) return
      // Holds the epoch for itself: the search that began it may be over before it is.
      const behind = begin(CARRIED_BATCH_MILLISECONDS, (...parameters) =>
        backend.with(plan.context, (run) => run(...parameters)),
      )
      if (behind === null) return
      left.push(behind)
      // Whoever takes it up hears of a fault; where nobody does, the next work meets it.
      behind.result.catch(() => undefined)
    }

    const streams = Math.max(backend.streams, carried.length)
    await Promise.all(Array.from({ length: streams }, (_, index) => fillStream(carried[index])))
    const endedAt = now()
    const milliseconds = endedAt - startedAt
    return {
      nonces: Math.min(nonces, Number(firstUntried - plan.firstNonce)),
      milliseconds,
      kernelMilliseconds: Math.min(milliseconds, kernelMilliseconds / backend.threads),
      carried: left.length === 0 ? null : { since: endedAt, batches: left },
    }
  })
}

function cancelledToNull(error: unknown): null {
  if (error instanceof Failure && error.code === 'cancelled') return null
  throw error
}
