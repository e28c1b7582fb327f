import {
  ALREADY_CREDITED_MESSAGE,
  BUYER_PRIORITY,
  isHeldBy,
  type AcceptedShare,
  type CoordinatorStore,
  type QueuedJob,
  type ShareKey,
  type UnitRecord,
} from '#coordinator/store'
import { chooseQueued } from '#coordinator/queue-order'
import type { EncodedInput } from '#shared/domain/encoded-input'
import type { Epoch } from '#shared/protocol/epoch'
import type { NetworkParameters } from '#shared/protocol/parameters'
import type { Receipt } from '#shared/protocol/receipt'
import type { Signed } from '#shared/domain/signed'

/** The coordinator's store in memory. Every method answers asynchronously, so that races show. */
export function createMemoryStore(): CoordinatorStore {
  const parameters = new Map<string, Signed<NetworkParameters>>()
  const epochs = new Map<number, Signed<Epoch>>()
  const ramps = new Map<string, Map<string, number>>()
  const turns = new Map<string, number>()
  const units = new Map<string, UnitRecord>()
  const shares = new Map<string, AcceptedShare>()
  const receipts: Signed<Receipt>[] = []
  const jobs = new Map<string, QueuedJob>()
  const inputs = new Map<string, EncodedInput>()
  const credited = new Set<string>()
  const shareKey = ({ rig, epoch, nonce }: ShareKey): string => `${rig}/${epoch}/${nonce}`
  const end = (job: QueuedJob, state: 'done' | 'failed' | 'cancelled', message?: string): void => {
    job.state = state
    delete job.knownText
    inputs.delete(job.id)
    if (message !== undefined) job.message = message
  }
  const queueOrFail = (job: QueuedJob, retry: boolean, maximumAttempts: number, message: string): void => {
    if (retry && job.attempts < maximumAttempts) job.state = 'queued'
    else end(job, 'failed', message)
  }

  return {
    putParameters: async (signed) => void parameters.set(signed.id, signed),
    parameters: async (id) => parameters.get(id),

    newestEpochs: async (count) =>
      [...epochs.values()].toSorted((a, b) => b.body.number - a.body.number).slice(0, count),
    epoch: async (number) => epochs.get(number),
    addEpoch: async (epoch) => {
      if (epochs.has(epoch.body.number)) return false
      epochs.set(epoch.body.number, epoch)
      return true
    },

    beginSession: async ({ rig }) => void ramps.delete(rig),
    climbRamp: async (rig, device) => {
      const own = ramps.get(rig) ?? new Map<string, number>()
      ramps.set(rig, own)
      const step = own.get(device) ?? 0
      own.set(device, step + 1)
      return step
    },
    takeSyntheticTurn: async (rig) => {
      const turn = turns.get(rig) ?? 0
      turns.set(rig, turn + 1)
      return turn
    },

    addUnit: async (unit) => {
      const key = `${unit.epoch}/${unit.unit}`
      if (units.has(key)) return false
      units.set(key, unit)
      return true
    },
    unit: async (epoch, unit) => units.get(`${epoch}/${unit}`),
    removeUnits: async (expiredBefore) => {
      for (const [key, unit] of units) if (unit.expiresAt < expiredBefore) units.delete(key)
    },

    share: async (key) => shares.get(shareKey(key)),
    acceptShare: async (key, share) => {
      const earlier = shares.get(shareKey(key))
      if (earlier) return { accepted: false, share: earlier }
      shares.set(shareKey(key), share)
      receipts.push(share.receipt)
      return { accepted: true, share }
    },

    addJob: async ({ input, ...job }, lease) => {
      if (jobs.has(job.id)) return false
      inputs.set(job.id, input)
      const state = lease ? 'leased' : 'queued'
      const inputHash = input.hash
      jobs.set(job.id, { ...job, inputHash, state, attempts: lease ? 1 : 0, ...(lease && { lease }) })
      return true
    },
    job: async (id) => structuredClone(jobs.get(id)),
    jobInput: async (id) => inputs.get(id),
    leaseNextJob: async ({ rig, offers, syntheticJobs, now, expiresAt }) => {
      const candidates = [...jobs.values()].flatMap((job, sequence) => {
        const rank = offers.findIndex(({ kind, model }) => kind === job.kind && model === job.model)
        const offer = offers[rank]
        if (job.state !== 'queued' || !offer || (job.buyer === 'sample' && !syntheticJobs)) return []
        const { createdAt, deadline = null } = job
        const usualMilliseconds = offer.usualMilliseconds ?? 0
        return [
          { job, offer, priority: BUYER_PRIORITY[job.buyer], sequence, createdAt, deadline, rank, usualMilliseconds },
        ]
      })
      const chosen = chooseQueued(candidates, now)
      if (!chosen) return undefined
      const { job, offer } = chosen
      job.state = 'leased'
      job.attempts += 1
      job.lease = { rig, expiresAt, formula: offer.formula }
      return structuredClone(job)
    },
    expireLeases: async ({ now, maximumAttempts, message, late }) => {
      for (const job of jobs.values()) {
        if (job.state === 'queued' && job.deadline !== undefined && job.deadline < now) end(job, 'failed', late)
        if (job.state === 'leased' && job.lease && job.lease.expiresAt < now)
          queueOrFail(job, true, maximumAttempts, message)
      }
    },
    renewLease: async ({ job: id, rig, expiresAt }) => {
      const job = jobs.get(id)
      if (!job?.lease || !isHeldBy(job, rig)) return false
      job.state = 'leased'
      job.lease.expiresAt = expiresAt
      return true
    },
    releaseJob: async ({ job: id, rig, retry, maximumAttempts, message }) => {
      const job = jobs.get(id)
      if (!job || !isHeldBy(job, rig)) return false
      delete job.lease
      queueOrFail(job, retry, maximumAttempts, message)
      return true
    },
    cancelJob: async (id) => {
      const job = jobs.get(id)
      if (job?.state !== 'queued' && job?.state !== 'leased') return false
      end(job, 'cancelled')
      return true
    },

    acceptResult: async ({ job: id, rig, signature, receipt }) => {
      const job = jobs.get(id)
      if (!job) return 'lease-lost'
      if (job.resultSignature === signature) return 'repeated'
      if (!isHeldBy(job, rig)) return 'lease-lost'
      job.resultSignature = signature
      const work = `${receipt.body.epoch}/${job.model}/${job.inputHash}`
      if (credited.has(work)) {
        job.refusal = 'already-credited'
        end(job, 'done', ALREADY_CREDITED_MESSAGE)
        return 'already-credited'
      }
      credited.add(work)
      receipts.push(receipt)
      job.receipt = receipt
      delete job.refusal
      delete job.message
      end(job, 'done')
      return 'accepted'
    },
    refuseResult: async ({ job: id, rig, signature, code, retry, maximumAttempts, message }) => {
      const job = jobs.get(id)
      if (!job || !isHeldBy(job, rig)) return false
      delete job.lease
      job.resultSignature = signature
      job.refusal = code
      job.message = message
      queueOrFail(job, retry, maximumAttempts, message)
      return true
    },

    totals: async (epoch) => {
      const counted = receipts.filter((receipt) => epoch === undefined || receipt.body.epoch === epoch)
      return {
        receipts: counted.length,
        creditMacs: counted.reduce((sum, receipt) => sum + BigInt(receipt.body.creditMacs), 0n),
      }
    },
  }
}
