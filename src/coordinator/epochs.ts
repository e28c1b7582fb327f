/**
 * Epochs: numbered periods with a seed and parameters of their own. They live in the store, so that a restart inside an
 * epoch keeps it; after a gap the next one begins with the first request or the coordinator's next tick. All coordinators
 * on one store agree, because an epoch's number can be added only once.
 */
import { bytesToHex } from '#shared/domain/bytes'
import type { Epoch } from '#shared/protocol/epoch'
import { MAX_LISTED_MODELS } from '#shared/protocol/bounds'
import type { NetworkParameters } from '#shared/protocol/parameters'
import { signObject, type Signed, type Signer } from '#shared/domain/signed'
import { parametersOf, type CoordinatorConfiguration } from './configuration'
import { ownModel } from './own-models'
import type { CoordinatorStore } from './store'
import { forgottenUnitExpiry } from './transitions'

export interface AnnouncedEpoch {
  epoch: Signed<Epoch>
  parameters: Signed<NetworkParameters>
}
export interface Present {
  now: number
  current: AnnouncedEpoch
  next?: AnnouncedEpoch
}
export interface Epochs {
  /** The present epoch, and the next one once it is announced. Begins an epoch if there is none. Usually answers from memory. */
  present(): Promise<Present>
  /** An epoch whose shares are taken now: the present one, or one that ended within its grace. */
  open(number: number): Promise<AnnouncedEpoch | undefined>
}

export async function createEpochs(deps: {
  store: CoordinatorStore
  clock: { now(): number }
  random: (bytes: number) => Uint8Array
  signer: Signer
  configuration: CoordinatorConfiguration
}): Promise<Epochs> {
  const { store, clock, random, signer, configuration } = deps
  /** The configuration and the models that the network listed by itself, as they are now. */
  const newestParameters = async (): Promise<Signed<NetworkParameters>> => {
    const operators = new Set(configuration.models.map(({ hash }) => hash))
    const listings = await store.listings({ since: 0, limit: MAX_LISTED_MODELS - operators.size })
    const own = listings
      .filter(({ key, body }) => key === signer.publicKeyHex && !operators.has(body.model.hash))
      .map(({ body }) => ownModel(body.model, configuration))
    const parameters = signObject('parameters', parametersOf(configuration, signer.publicKeyHex, own), signer)
    await store.putParameters(parameters)
    return parameters
  }

  let known: { current: AnnouncedEpoch; next?: AnnouncedEpoch } | undefined
  let advancing: Promise<void> | undefined

  /** Undefined for an epoch signed with an earlier key of this network, or by a former version: neither counts any more. */
  const announced = async (epoch: Signed<Epoch>): Promise<AnnouncedEpoch | undefined> => {
    const isOwn = epoch.key === signer.publicKeyHex && epoch.body.network === signer.publicKeyHex
    const parameters = isOwn ? await store.parameters(epoch.body.parameters) : undefined
    return parameters && { epoch, parameters }
  }
  const addEpoch = async (number: number, startsAt: number): Promise<AnnouncedEpoch | undefined> => {
    const parameters = await newestParameters()
    const body: Epoch = {
      network: signer.publicKeyHex,
      number,
      seed: bytesToHex(random(32)),
      startsAt,
      endsAt: startsAt + configuration.epochSeconds * 1000,
      parameters: parameters.id,
    }
    const epoch = signObject('epoch', body, signer)
    return (await store.addEpoch(epoch)) ? { epoch, parameters } : undefined
  }
  /** Reads the store and adds the epochs that are due; reads again if another coordinator added one first. */
  const advance = async (): Promise<void> => {
    for (;;) {
      const now = clock.now()
      const stored = await store.newestEpochs(2)
      const newestNumber = stored[0]?.body.number ?? configuration.firstEpoch - 1
      const own = (await Promise.all(stored.toReversed().map(announced))).filter((epoch) => epoch !== undefined)
      const found =
        own.find(({ epoch: { body } }) => body.startsAt <= now && now < body.endsAt) ??
        own.find(({ epoch: { body } }) => isTolerable(body, now))
      if (!found) {
        if (await addEpoch(newestNumber + 1, now)) await store.removeUnits(forgottenUnitExpiry(now))
        continue
      }
      const { number, endsAt } = found.epoch.body
      const next = own.find(({ epoch: { body } }) => body.number > number && body.startsAt === endsAt)
      if (!next && isNextDue(found.epoch.body, now) && number === newestNumber) {
        await addEpoch(newestNumber + 1, endsAt)
        continue
      }
      known = { current: found, ...(next && { next }) }
      return
    }
  }
  const isNextDue = (epoch: Epoch, now: number): boolean => now >= epoch.endsAt - configuration.announceSeconds * 1000
  const isUpToDate = (now: number): boolean => {
    if (!known) return false
    const { body } = known.current.epoch
    if (now >= body.endsAt || (now < body.startsAt && !isTolerable(body, now))) return false
    return known.next !== undefined || !isNextDue(body, now)
  }

  const present = async (): Promise<Present> => {
    if (!isUpToDate(clock.now())) {
      advancing ??= advance().finally(() => (advancing = undefined))
      await advancing
    }
    if (!known) throw new Error('no epoch after advancing')
    return { now: clock.now(), ...known }
  }
  return {
    present,
    open: async (number) => {
      const { current, now } = await present()
      if (number === current.epoch.body.number) return current
      if (number > current.epoch.body.number) return undefined
      const epoch = await store.epoch(number)
      const late = epoch && (await announced(epoch))
      if (!late) return undefined
      return now <= late.epoch.body.endsAt + late.parameters.body.graceSeconds * 1000 ? late : undefined
    },
  }
}

/** A clock that was set back a little does not end the epoch; one set back by more than an epoch's length does. */
function isTolerable(epoch: Epoch, now: number): boolean {
  return now < epoch.startsAt && epoch.startsAt - now <= epoch.endsAt - epoch.startsAt
}
