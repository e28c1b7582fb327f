/**
 * The models that a network pays for (protocol.md §3): those of its signed parameters, and those listed since they were
 * signed. What decides the credit of a job on a model is read here, and never from a rig.
 */
import { Failure } from '#shared/domain/errors'
import { signObject, type Signed, type Signer } from '#shared/domain/signed'
import { MAX_LISTED_MODELS, MAX_NEW_LISTINGS } from '#shared/protocol/bounds'
import type { ListedModel, ModelListing, NetworkParameters } from '#shared/protocol/parameters'
import type { Answer } from '#shared/protocol/refusal'
import type { CoordinatorConfiguration } from './configuration'
import type { Epochs, Present } from './epochs'
import { ownModel, type CountedModel, type OwnModels } from './own-models'
import { refuse } from './refusals'
import type { CoordinatorStore } from './store'
import type { CoordinatorClock } from './ticker'

export interface ListedModels {
  /** The model as it is listed now; undefined: the network does not pay for it. */
  find(hash: string): Promise<ListedModel | undefined>
  /** As `find`, and lists an own model first, which takes the time of counting it. Refused with `unlisted-model`. */
  findOrList(hash: string): Promise<Answer<ListedModel>>
  /** Lists own models one after another, some seconds later, and calls the listeners after each. Does not reject. */
  listInBackground(hashes: readonly string[]): void
  /** Calls the listener when a model was listed in the background. */
  onListed(listener: () => void): void
  /** Begins no listing in the background any more. */
  stop(): void
  /** Listings that the present parameters do not have, the newest first, at most MAX_NEW_LISTINGS. */
  newListings(present: Present): Promise<Signed<ModelListing>[]>
}

/** A model that could not be counted is not counted again for this long: counting reads and runs it. */
const COUNT_AGAIN_MILLISECONDS = 60_000
/** The verifier that counts also recomputes shares: those of the first seconds, which a person waits for, come first. */
const BACKGROUND_MILLISECONDS = 10_000

export function createListedModels(deps: {
  store: Pick<CoordinatorStore, 'listing' | 'listings' | 'putListing'>
  epochs: Pick<Epochs, 'present'>
  ownModels: OwnModels | undefined
  clock: Pick<CoordinatorClock, 'now' | 'setTimeout'>
  signer: Signer
  configuration: CoordinatorConfiguration
}): ListedModels {
  const { store, epochs, ownModels, clock, signer, configuration } = deps
  const counting = new Map<string, Promise<Answer<ListedModel>>>()
  const failed = new Map<string, { until: number; answer: Answer<ListedModel> }>()
  const listeners: (() => void)[] = []

  const find = async (hash: string): Promise<ListedModel | undefined> => {
    const { current } = await epochs.present()
    const listed = modelsByHash(current.parameters.body).get(hash)
    if (listed) return listed
    const listing = await store.listing(hash)
    return listing?.key === signer.publicKeyHex ? listing.body.model : undefined
  }
  const countAndList = async (hash: string): Promise<Answer<ListedModel>> => {
    try {
      const counted = await ownModels?.count(hash)
      if (counted) return { ok: true, value: await list(hash, counted) }
      return unlisted(hash)
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'internal') throw error
      const answer = refuse('unlisted-model', `The model ${hash.slice(0, 16)} could not be counted: ${error.message}.`)
      failed.set(hash, { until: clock.now() + COUNT_AGAIN_MILLISECONDS, answer })
      return answer
    }
  }
  const list = async (hash: string, counted: CountedModel): Promise<ListedModel> => {
    const model = ownModel({ hash, ...counted }, configuration)
    const body: ModelListing = { network: signer.publicKeyHex, listedAt: clock.now(), model }
    await store.putListing(signObject('listing', body, signer))
    return model
  }
  const findOrList = async (hash: string): Promise<Answer<ListedModel>> => {
    const listed = await find(hash)
    if (listed) return { ok: true, value: listed }
    if (!ownModels) return unlisted(hash)
    const before = failed.get(hash)
    if (before && clock.now() < before.until) return before.answer
    failed.delete(hash)
    const underway = counting.get(hash) ?? countAndList(hash).finally(() => counting.delete(hash))
    counting.set(hash, underway)
    return underway
  }
  /** Own models that are to be listed; one is counted while it is among them. */
  const waiting = new Set<string>()
  let planned: { cancel(): void } | undefined
  const listWaiting = async (): Promise<void> => {
    for (const hash of waiting) {
      try {
        const { ok } = await findOrList(hash)
        if (ok) for (const listener of listeners) listener()
      } catch {
        // What fails here fails again, with its reason, when somebody waits for it.
      } finally {
        waiting.delete(hash)
      }
    }
  }

  return {
    find,
    findOrList,
    listInBackground: (hashes) => {
      if (!ownModels || hashes.length === 0) return
      const isListing = waiting.size > 0
      for (const hash of hashes) waiting.add(hash)
      if (!isListing) planned = clock.setTimeout(() => void listWaiting(), BACKGROUND_MILLISECONDS)
    },
    onListed: (listener) => void listeners.push(listener),
    stop: () => {
      planned?.cancel()
      waiting.clear()
    },
    newListings: async ({ current }) => {
      // The parameters were signed when their epoch was announced, or later.
      const since = current.epoch.body.startsAt - configuration.announceSeconds * 1000
      const listed = modelsByHash(current.parameters.body)
      const listings = await store.listings({ since, limit: MAX_LISTED_MODELS })
      return listings
        .filter(({ key, body }) => key === signer.publicKeyHex && !listed.has(body.model.hash))
        .slice(0, MAX_NEW_LISTINGS)
    },
  }
}

const known = new WeakMap<NetworkParameters, ReadonlyMap<string, ListedModel>>()

/** The models of parameters by their hashes. Remembers its answer. */
function modelsByHash(parameters: NetworkParameters): ReadonlyMap<string, ListedModel> {
  const before = known.get(parameters)
  if (before) return before
  const models = new Map(parameters.models.map((model) => [model.hash, model]))
  known.set(parameters, models)
  return models
}

function unlisted(hash: string) {
  return refuse('unlisted-model', `This network does not list the model ${hash.slice(0, 16)}.`)
}
