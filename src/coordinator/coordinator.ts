/**
 * The coordinator: leases work, checks what comes back, answers with signed receipts (protocol.md §§1 to 3, 5). It does
 * not depend on a kind of store, a host or a transport: the practice network embeds it, a pool serves it.
 */
import { helloBody, signedHello, type Hello, type Welcome } from '#shared/protocol/hello'
import { PROTOCOL_VERSION } from '#shared/protocol/parameters'
import type { Network } from '#shared/protocol/network'
import type { Signed, Signer, SignatureVerifier } from '#shared/domain/signed'
import { z } from 'zod'
import { DEFAULT_CONFIGURATION, type CoordinatorConfiguration } from './configuration'
import { createEpochs, type Present } from './epochs'
import { createJobs, type Jobs, type SyntheticJobSource } from './jobs'
import { createJobQueue } from './job-queue'
import { createKeptBounds } from './kept-bounds'
import { createObservedRates } from './observed-rates'
import { isSignedBy, refuse, refuseMalformed } from './refusals'
import { createResults } from './results'
import { createShares, type Verifier } from './shares'
import type { CoordinatorStore } from './store'
import { createSuspensions } from './suspensions'
import { createTicker, type CoordinatorClock, type Ticker } from './ticker'
import { forgottenUnitExpiry } from './transitions'
import { createUnits } from './units'

export type { CoordinatorConfiguration } from './configuration'
export type { EnqueuedJob, NetworkJobState, SyntheticJobSource } from './jobs'
export type { Verifier } from './shares'
export type { CoordinatorStore } from './store'
export type { CoordinatorClock } from './ticker'

export interface CoordinatorOptions {
  store: CoordinatorStore
  verifier: Verifier
  syntheticJobs: SyntheticJobSource
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
 * Epochs and leases end when somebody calls, and without a caller between `start` and `stop`. `stop` before the store is
 * closed; calls are answered before `start` and after `stop` too.
 */
export interface Coordinator extends Network, Pick<Jobs, 'enqueueJob' | 'cancelJob' | 'jobState'>, Ticker {}

/** Creates a coordinator. It is safe under concurrent calls and beside other coordinators on the same store. Rejects when the store does. */
export async function createCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const configuration = { ...DEFAULT_CONFIGURATION, ...options.configuration }
  const { store, clock, signer, signatures } = options
  const epochs = await createEpochs({ ...options, configuration })
  const suspensions = createSuspensions({ store, clock, configuration })
  const own = {
    ...options,
    configuration,
    epochs,
    suspensions,
    queue: createJobQueue(store),
    bounds: createKeptBounds(store),
    observed: createObservedRates(clock),
  }
  const { expireLeases, ...jobs } = createJobs(own)

  /** Units that expired are forgotten with every epoch that begins. */
  let tidiedEpoch: number | undefined
  const ticker = createTicker(clock, configuration.tickSeconds * 1000, async () => {
    const { current, now } = await epochs.present()
    await expireLeases()
    const { number } = current.epoch.body
    if (number !== tidiedEpoch) await store.removeUnits(forgottenUnitExpiry(now))
    tidiedEpoch = number
  })

  const welcome = ({ current, next, now }: Present): Welcome => ({
    networkKey: signer.publicKeyHex,
    parameters: current.parameters,
    epoch: current.epoch,
    ...(next && { nextEpoch: next.epoch }),
    now,
  })

  return {
    name: configuration.network,
    hello: async (raw: Signed<Hello>) => {
      const version = anyVersion.safeParse(raw)
      if (version.success && version.data.body.protocolVersion !== PROTOCOL_VERSION) {
        return refuse('unsupported-version', `This network speaks version ${PROTOCOL_VERSION} of the protocol.`)
      }
      const parsed = signedHello.safeParse(raw)
      if (!parsed.success) return refuseMalformed('hello', parsed.error)
      const { body } = parsed.data
      if (body.network !== configuration.network) return refuse('malformed', 'The hello is for another network.')
      if (!isSignedBy('hello', parsed.data, signatures, body.rig)) {
        return refuse('wrong-key', 'The signature is not that of the rig that says hello.')
      }
      const early = await suspensions.helloRefusal(body.rig)
      if (early) return early
      await store.beginSession({ rig: body.rig, at: clock.now(), devices: body.devices })
      return { ok: true, value: welcome(await epochs.present()) }
    },
    current: async () => welcome(await epochs.present()),
    leaseUnit: createUnits(own),
    submitShare: createShares(own),
    submitJob: createResults(own),
    ...jobs,
    ...ticker,
  }
}

/** The part of a hello that says which protocol version its sender speaks. */
const anyVersion = z.object({ body: helloBody.pick({ protocolVersion: true }).loose() }).loose()
