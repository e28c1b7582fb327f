/**
 * The coordinator: leases work, checks what comes back, answers with signed receipts (protocol.md §§1 to 3, 5). It does
 * not depend on a kind of store, a host or a transport: the practice network embeds it, a pool serves it.
 */
import type { Hello, Welcome } from '#shared/protocol/hello'
import type { Answer } from '#shared/protocol/refusal'
import type { Signed, Signer, SignatureVerifier } from '#shared/domain/signed'
import type { Appraiser } from './appraiser'
import { createBudgets } from './budgets'
import { DEFAULT_CONFIGURATION, type CoordinatorConfiguration } from './configuration'
import { createDeliveryQueue } from './delivery-queue'
import { createEpochs, type Present } from './epochs'
import { createJobs, type SyntheticJobSource } from './jobs'
import { createJobQueue } from './job-queue'
import { createJudge } from './judge'
import { createListedModels } from './listed-models'
import { createObservedRates } from './observed-rates'
import type { OwnModels } from './own-models'
import { createRecords } from './record'
import { isSignedBy, refuse } from './refusals'
import { createResults } from './results'
import { createSessions, type Sessions } from './sessions'
import { createShares, type Verifier } from './shares'
import type { CoordinatorStore } from './store'
import { createSuspensions } from './suspensions'
import { createTicker, type CoordinatorClock, type Ticker } from './ticker'
import { forgottenUnitExpiry } from './transitions'
import { createUnits } from './units'

export type { Appraisal, Appraised, Appraiser } from './appraiser'
export type { CoordinatorConfiguration } from './configuration'
export type { SyntheticJobSource } from './jobs'
export type { CountedModel, OwnModels } from './own-models'
export type { Verifier } from './shares'
export type { CoordinatorStore } from './store'
export type { CoordinatorClock } from './ticker'

export interface CoordinatorOptions {
  store: CoordinatorStore
  verifier: Verifier
  appraiser: Appraiser
  syntheticJobs: SyntheticJobSource
  /** models that the network lists by itself; absent: the configuration lists them all */
  ownModels?: OwnModels
  clock: CoordinatorClock
  /** returns `bytes` unpredictable bytes */
  random: (bytes: number) => Uint8Array
  /** the network's key */
  signer: Signer
  signatures: SignatureVerifier
  /** settings that differ from DEFAULT_CONFIGURATION */
  configuration?: Partial<CoordinatorConfiguration>
}

/**
 * Rigs, buyers and auditors reach it through sessions only. Epochs and leases end when somebody calls, and without a caller
 * between `start` and `stop`; then deliveries are also judged that could not be judged when they came. `stop` before the store is closed; calls are answered before `start` and after `stop` too.
 */
export interface Coordinator extends Sessions, Ticker {
  /** the network's name, for people */
  readonly name: string
  /** what signed objects name the network by: its public key, hex */
  readonly networkKey: string
}

/** Creates a coordinator. It is safe under concurrent calls and beside other coordinators on the same store. Rejects when the store does. */
export async function createCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const configuration = { ...DEFAULT_CONFIGURATION, ...options.configuration }
  const { store, clock, signer, signatures } = options
  const epochs = await createEpochs({ ...options, configuration })
  const suspensions = createSuspensions({ store, clock, configuration })
  const models = createListedModels({ ...options, ownModels: options.ownModels, configuration, epochs })
  const own = {
    ...options,
    configuration,
    epochs,
    models,
    suspensions,
    records: createRecords({ store, clock, configuration }),
    queue: createJobQueue(store),
    deliveries: createDeliveryQueue(store),
    observed: createObservedRates(clock),
    budgets: createBudgets(clock, configuration.budgets),
  }
  const jobs = createJobs(own)
  const judge = createJudge(own)

  /** Units that expired are forgotten with every epoch that begins. */
  let tidiedEpoch: number | undefined
  const ticker = createTicker(clock, configuration.tickSeconds * 1000, async () => {
    const { current, now } = await epochs.present()
    await jobs.expireLeases()
    const { number } = current.epoch.body
    if (number !== tidiedEpoch) await store.removeUnits(forgottenUnitExpiry(now))
    tidiedEpoch = number
  })

  const welcome = async (present: Present): Promise<Welcome> => {
    const { current, next, now } = present
    return {
      networkKey: signer.publicKeyHex,
      parameters: current.parameters,
      listings: await models.newListings(present),
      epoch: current.epoch,
      ...(next && { nextEpoch: next.epoch }),
      now,
    }
  }

  const hello = async (signed: Signed<Hello>): Promise<Answer<Welcome>> => {
    const { body } = signed
    if (body.network !== signer.publicKeyHex) return refuse('malformed', 'The hello is for another network.')
    if (!isSignedBy('hello', signed, signatures, body.rig)) {
      return refuse('wrong-key', 'The signature is not that of the rig that says hello.')
    }
    const early = await suspensions.helloRefusal(body.rig)
    if (early) return early
    await store.beginSession({ rig: body.rig, at: clock.now(), devices: body.devices })
    return { ok: true, value: await welcome(await epochs.present()) }
  }
  const sessions = createSessions({
    store,
    jobs,
    budgets: own.budgets,
    hello,
    current: async () => welcome(await epochs.present()),
    epochs: epochs.list,
    leaseUnit: createUnits(own),
    submitShare: createShares(own),
    results: createResults({ ...own, judge }),
    onModelListed: models.onListed,
  })
  /** A timer of its own: epochs and leases do not wait for an appraiser. */
  const deliveryTicker = createTicker(clock, configuration.tickSeconds * 1000, async () => {
    await judge.judgeDue(sessions.announceSettled)
    await judge.removeOld()
  })
  return {
    name: configuration.name,
    networkKey: signer.publicKeyHex,
    rigSession: sessions.rigSession,
    buyerSession: sessions.buyerSession,
    audit: sessions.audit,
    start: (onError) => {
      ticker.start(onError)
      deliveryTicker.start(onError)
    },
    stop: async () => {
      models.stop()
      await Promise.all([ticker.stop(), deliveryTicker.stop()])
    },
  }
}
