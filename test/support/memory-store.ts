import { isDeepStrictEqual } from 'node:util'
import {
  BUYER_PRIORITY,
  type AcceptedShare,
  type CoordinatorStore,
  type DeliveryContent,
  type EpochSecrets,
  type JobChange,
  type QueuedJob,
  type RigRecord,
  type ShareKey,
  type StoredDelivery,
  type UnitRecord,
} from '#coordinator/store'
import { chooseQueued } from '#coordinator/queue-order'
import { NO_RECORD } from '#coordinator/record'
import { isEnded, isForgotten } from '#coordinator/transitions'
import type { EncodedInput } from '#shared/domain/encoded-input'
import type { Epoch } from '#shared/protocol/epoch'
import type { ModelListing, NetworkParameters } from '#shared/protocol/parameters'
import type { Receipt } from '#shared/protocol/receipt'
import type { Signed } from '#shared/domain/signed'

/** The coordinator's store in memory. Every method answers asynchronously, so that races show. */
export function createMemoryStore(): CoordinatorStore {
  const parameters = new Map<string, Signed<NetworkParameters>>()
  const listings = new Map<string, Signed<ModelListing>>()
  const epochs = new Map<number, Signed<Epoch>>()
  const secrets = new Map<number, EpochSecrets & { isPublished: boolean }>()
  const ramps = new Map<string, Map<string, number>>()
  const suspensions = new Map<string, number>()
  const turns = new Map<string, { turn: number; epoch: number; taken: number }>()
  const records = new Map<string, RigRecord>()
  const units = new Map<string, UnitRecord>()
  const shares = new Map<string, AcceptedShare>()
  const receipts: Signed<Receipt>[] = []
  const jobs = new Map<string, QueuedJob>()
  const inputs = new Map<string, EncodedInput>()
  const credited = new Set<string>()
  const deliveries = new Map<string, StoredDelivery>()
  const contents = new Map<string, DeliveryContent>()
  const setJob = ({ expected, next }: JobChange): 'set' | 'changed' | 'already-credited' => {
    if (!isDeepStrictEqual(jobs.get(next.id), expected)) return 'changed'
    const { receipt } = next
    if (receipt && !expected.receipt) {
      const work = `${receipt.body.epoch}/${next.model}/${next.workHash}`
      if (credited.has(work)) return 'already-credited'
      credited.add(work)
      receipts.push(receipt)
    }
    jobs.set(next.id, structuredClone(next))
    if (isEnded(next.state)) inputs.delete(next.id)
    if (isForgotten(next)) jobs.delete(next.id)
    return 'set'
  }
  const shareKey = ({ rig, epoch, nonce }: ShareKey): string => `${rig}/${epoch}/${nonce}`
  const unitsOf = (rig: string, now: number): number =>
    [...units.values()].filter((unit) => unit.rig === rig && unit.expiresAt >= now).length
  const jobsOf = (rig: string): number =>
    [...jobs.values()].filter(({ state, lease }) => state === 'leased' && lease?.rig === rig).length

  return {
    putParameters: async (signed) => void parameters.set(signed.id, signed),
    parameters: async (id) => parameters.get(id),
    putListing: async (listing) => void listings.set(listing.body.model.hash, listing),
    listing: async (model) => listings.get(model),
    listings: async ({ since, limit }) =>
      [...listings.values()]
        .filter(({ body }) => body.listedAt >= since)
        .toSorted((a, b) => b.body.listedAt - a.body.listedAt)
        .slice(0, limit),

    newestEpochs: async (count) =>
      [...epochs.values()].toSorted((a, b) => b.body.number - a.body.number).slice(0, count),
    epoch: async (number) => epochs.get(number),
    epochsFrom: async (number, limit) =>
      [...epochs.values()]
        .filter(({ body }) => body.number >= number)
        .toSorted((a, b) => a.body.number - b.body.number)
        .slice(0, limit),
    addEpoch: async (epoch, kept) => {
      if (epochs.has(epoch.body.number)) return false
      epochs.set(epoch.body.number, epoch)
      secrets.set(epoch.body.number, { ...kept, isPublished: false })
      for (const { epoch: number } of epoch.body.checkKeys) secrets.get(number)!.isPublished = true
      return true
    },
    nextSecret: async (number) => secrets.get(number)?.nextSecret,
    dueCheckKeys: async (now, limit) =>
      [...secrets]
        .filter(([, { isPublished, checkKeyDueAt }]) => !isPublished && checkKeyDueAt < now)
        .map(([epoch, { checkKey }]) => ({ epoch, key: checkKey }))
        .toSorted((a, b) => a.epoch - b.epoch)
        .slice(0, limit),
    receiptIds: async (epoch, after, limit) =>
      receipts
        .flatMap(({ id, body }) => (body.epoch === epoch && id > after ? [id] : []))
        .toSorted()
        .slice(0, limit),

    beginSession: async ({ rig }) => {
      ramps.delete(rig)
      suspensions.delete(rig)
    },
    suspendRig: async (rig, until) => void suspensions.set(rig, until),
    suspendedUntil: async (rig) => suspensions.get(rig),
    climbRamp: async (rig, device) => {
      const own = ramps.get(rig) ?? new Map<string, number>()
      ramps.set(rig, own)
      const step = own.get(device) ?? 0
      own.set(device, step + 1)
      return step
    },
    takeSyntheticTurn: async (rig, epoch, most) => {
      const known = turns.get(rig) ?? { turn: 0, epoch, taken: 0 }
      const taken = known.epoch === epoch ? known.taken : 0
      if (taken >= most) return undefined
      turns.set(rig, { turn: known.turn + 1, epoch, taken: taken + 1 })
      return known.turn
    },
    rigRecord: async (rig) => records.get(rig),
    compareAndSetRecord: async (rig, expected, next) => {
      if (!isDeepStrictEqual(records.get(rig) ?? NO_RECORD, expected)) return false
      records.set(rig, next)
      return true
    },

    addUnit: async (unit, held) => {
      const key = `${unit.epoch}/${unit.unit}`
      if (held && unitsOf(unit.rig, held.now) >= held.most) return false
      if (units.has(key)) return false
      units.set(key, unit)
      return true
    },
    heldUnits: async (rig, now) => unitsOf(rig, now),
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

    addJob: async (job, input, mostHeld = Infinity) => {
      if (job.lease && jobsOf(job.lease.rig) >= mostHeld) return false
      if (jobs.has(job.id)) return false
      inputs.set(job.id, input)
      jobs.set(job.id, structuredClone(job))
      return true
    },
    heldJobs: async (rig) => jobsOf(rig),
    job: async (id) => structuredClone(jobs.get(id)),
    jobInput: async (id) => inputs.get(id),
    nextQueuedJob: async ({ rig, offers, syntheticJobs, now }) => {
      const candidates = [...jobs.values()].flatMap((job, sequence) => {
        const rank = offers.findIndex(({ kind, model }) => kind === job.kind && model === job.model)
        const offer = offers[rank]
        if (job.state !== 'queued' || !offer || (job.buyer === 'sample' && !syntheticJobs)) return []
        if (job.declinedBy?.includes(rig)) return []
        const { createdAt, deadline = null } = job
        const usualMilliseconds = offer.usualMilliseconds ?? 0
        return [{ job, priority: BUYER_PRIORITY[job.buyer], sequence, createdAt, deadline, rank, usualMilliseconds }]
      })
      return structuredClone(chooseQueued(candidates, now)?.job)
    },
    dueJobs: async (now, limit) => {
      const all = [...jobs.values()]
      const late = all.filter(({ state, deadline = now }) => state === 'queued' && deadline < now)
      const expired = all.filter(({ state, lease }) => state === 'leased' && lease && lease.expiresAt < now)
      return structuredClone([...late.slice(0, limit), ...expired.slice(0, limit)])
    },
    compareAndSetJob: async (expected, next, mostHeld = Infinity) => {
      const isFull = next.lease !== undefined && jobsOf(next.lease.rig) >= mostHeld
      if (isFull) return isDeepStrictEqual(jobs.get(next.id), expected) ? 'holds-most' : 'changed'
      return setJob({ expected, next })
    },

    addDelivery: async (delivery, content, job) => {
      if (deliveries.has(delivery.ref) || setJob(job) !== 'set') return 'changed'
      deliveries.set(delivery.ref, structuredClone(delivery))
      contents.set(delivery.ref, structuredClone(content))
      return 'set'
    },
    delivery: async (ref) => structuredClone(deliveries.get(ref)),
    deliveryContent: async (ref) => structuredClone(contents.get(ref)),
    dueDeliveries: async (now, limit) => {
      const dueAt = ({ delivery }: StoredDelivery): number | undefined =>
        delivery.state === 'delivered' ? 0 : delivery.state === 'checking' ? delivery.nextCheckAt : undefined
      const due = [...deliveries.values()].flatMap((delivery) => {
        const at = dueAt(delivery)
        return at === undefined || at > now ? [] : [{ at, delivery }]
      })
      const sorted = due.toSorted((a, b) => a.at - b.at || a.delivery.deliveredAt - b.delivery.deliveredAt)
      return structuredClone(sorted.slice(0, limit).map(({ delivery }) => delivery))
    },
    compareAndSetDelivery: async (expected, next, job) => {
      if (!isDeepStrictEqual(deliveries.get(expected.ref), expected)) return 'changed'
      const outcome = job ? setJob(job) : 'set'
      if (outcome === 'set') deliveries.set(expected.ref, structuredClone({ ...expected, delivery: next }))
      return outcome
    },
    removeDeliveryContents: async (endedBefore, limit) => {
      const old = [...contents.keys()].filter((ref) => {
        const delivery = deliveries.get(ref)?.delivery
        return delivery && 'endedAt' in delivery && delivery.endedAt < endedBefore
      })
      for (const ref of old.slice(0, limit)) contents.delete(ref)
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
