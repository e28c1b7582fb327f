/**
 * Epochs: numbered periods with a seed and parameters of their own. They live in the store, so that a restart inside an
 * epoch keeps it; after a gap the next one begins with the first request or the coordinator's next tick. All coordinators
 * on one store agree, because an epoch's number can be added only once. What an epoch commits to is kept with it, so that
 * a coordinator that was restarted, or another one, goes on with the same secrets (protocol.md §5).
 */
import { bytesToHex } from '#shared/domain/bytes'
import { MAX_CHECK_KEYS, MAX_EPOCHS, MAX_LISTED_MODELS } from '#shared/protocol/bounds'
import type { Epoch } from '#shared/protocol/epoch'
import { commitmentOf, createClosingHash, epochSeed } from '#shared/protocol/epoch-chain'
import type { NetworkParameters } from '#shared/protocol/parameters'
import type { StoredEpoch } from '#shared/protocol/stored'
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
  /** For auditors: as audit.ts of the protocol says. */
  list(from: number, limit: number): Promise<{ epochs: Signed<Epoch>[]; next: number | null }>
}

/** Receipts that are read at once. */
const CLOSING_PAGE = 10_000

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

  /** Undefined for an epoch that does not count any more. */
  const announced = async (epoch: Signed<StoredEpoch>): Promise<AnnouncedEpoch | undefined> => {
    const parameters = isOwn(epoch) ? await store.parameters(epoch.body.parameters) : undefined
    return parameters && isOwn(epoch) ? { epoch, parameters } : undefined
  }
  const secret = (): string => bytesToHex(random(32))
  /** Over the receipts that the store has now: some of that epoch may still come. */
  const closingOf = async (number: number | undefined): Promise<string> => {
    const hash = createClosingHash()
    for (let last = ''; number !== undefined;) {
      const ids = await store.receiptIds(number, last, CLOSING_PAGE)
      for (const id of ids) hash.add(id)
      if (ids.length < CLOSING_PAGE) break
      last = ids.at(-1) ?? last
    }
    return hash.digest()
  }
  /** `newest`: the epoch with the highest number, whose secret the new one reveals. */
  const addEpoch = async (
    number: number,
    newest: Signed<StoredEpoch> | undefined,
    startsAt: number,
  ): Promise<boolean> => {
    const parameters = await newestParameters()
    const endsAt = startsAt + configuration.epochSeconds * 1000
    const secrets = {
      nextSecret: secret(),
      checkKey: secret(),
      checkKeyDueAt: endsAt + parameters.body.graceSeconds * 1000,
    }
    // An epoch under a former key, or of version 1, committed this network to nothing.
    const reveal = newest && isOwn(newest) ? await store.nextSecret(newest.body.number) : undefined
    const closing = await closingOf(newest?.body.number)
    const body: Epoch = {
      network: signer.publicKeyHex,
      number,
      seed: reveal === undefined ? secret() : epochSeed(reveal, closing),
      startsAt,
      endsAt,
      parameters: parameters.id,
      commitment: commitmentOf(secrets.nextSecret),
      ...(reveal !== undefined && { reveal }),
      closing,
      checkCommitment: commitmentOf(secrets.checkKey),
      checkKeys: await store.dueCheckKeys(clock.now(), MAX_CHECK_KEYS),
    }
    return store.addEpoch(signObject('epoch', body, signer), secrets)
  }
  /** Reads the store and adds the epochs that are due; reads again if another coordinator added one first. */
  const advance = async (): Promise<void> => {
    for (;;) {
      const now = clock.now()
      const stored = await store.newestEpochs(2)
      const newest = stored[0]
      // A store that was put back from a copy does not use a number again that rigs have heard.
      const nextNumber = Math.max(newest === undefined ? 0 : newest.body.number + 1, configuration.firstEpoch)
      const own = (await Promise.all(stored.toReversed().map(announced))).filter((epoch) => epoch !== undefined)
      const found =
        own.find(({ epoch: { body } }) => body.startsAt <= now && now < body.endsAt) ??
        own.find(({ epoch: { body } }) => isTolerable(body, now))
      if (!found) {
        if (await addEpoch(nextNumber, newest, now)) await store.removeUnits(forgottenUnitExpiry(now))
        continue
      }
      const { number, endsAt } = found.epoch.body
      const next = own.find(({ epoch: { body } }) => body.number > number && body.startsAt === endsAt)
      if (!next && isNextDue(found.epoch.body, now) && found.epoch === newest && nextNumber === number + 1) {
        await addEpoch(nextNumber, newest, endsAt)
        continue
      }
      known = { current: found, ...(next && { next }) }
      return
    }
  }
  /** Epochs signed with an earlier key of this network, and those of version 1, which committed to nothing, no longer count. */
  const isOwn = (epoch: Signed<StoredEpoch>): epoch is Signed<Epoch> =>
    epoch.key === signer.publicKeyHex &&
    epoch.body.network === signer.publicKeyHex &&
    epoch.body.commitment !== undefined
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
    list: async (from, limit) => {
      const most = Math.min(limit, MAX_EPOCHS)
      const stored = await store.epochsFrom(from, most)
      const last = stored.length < most ? undefined : stored.at(-1)
      return { epochs: stored.filter(isOwn), next: last ? last.body.number + 1 : null }
    },
  }
}

/** A clock that was set back a little does not end the epoch; one set back by more than an epoch's length does. */
function isTolerable(epoch: Pick<Epoch, 'startsAt' | 'endsAt'>, now: number): boolean {
  return now < epoch.startsAt && epoch.startsAt - now <= epoch.endsAt - epoch.startsAt
}
