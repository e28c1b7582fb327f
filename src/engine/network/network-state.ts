/** What the network says now: epoch, parameters, clock offset. Every signature is checked before its content is used. */
import { Failure } from '#shared/domain/errors'
import { message, refusalMessage } from '#shared/domain/messages'
import { isGenuine, signObject, type Signed, type SignatureVerifier, type Signer } from '#shared/domain/signed'
import { PROTOCOL_VERSION, type ListedModel, type NetworkParameters } from '#shared/protocol/parameters'
import type { Epoch } from '#shared/protocol/epoch'
import { epochFault } from '#shared/protocol/epoch-chain'
import type { Welcome } from '#shared/protocol/hello'
import { MAX_DEVICES } from '#shared/protocol/bounds'
import type { RigSession } from '#shared/protocol/rig-session'
import type { RigContext } from '../base'

export interface KnownNetwork {
  networkKey: string
  parameters: NetworkParameters
  /** the models that the network pays for, by hash: those of the parameters, and those listed since */
  models: ReadonlyMap<string, ListedModel>
  epoch: Epoch
  signedEpoch: Signed<Epoch>
  next: Epoch | null
  /** network clock minus this rig's clock, milliseconds */
  clockOffset: number
}

export interface NetworkState {
  readonly current: KnownNetwork
  readonly known: boolean
  /** Says hello; must come first. Throws Failure `network-refused`, and what the network throws when it does not answer. */
  hello(devices: { id: string; kind: string; backends: string[] }[]): Promise<void>
  /** Asks the network again when the epoch is over, otherwise at most once a second. Throws as `hello`. */
  refresh(): Promise<KnownNetwork>
  /** Asks now. */
  reread(): Promise<KnownNetwork>
}

const REFRESH_MILLISECONDS = 1000

export interface NetworkStateOptions {
  session: Pick<RigSession, 'hello' | 'current'>
  networkName: string
  signer: Signer
  signatures: SignatureVerifier
  /** hex; pinned when the rig joined; null on the first hello */
  pinnedKey: string | null
  /** the newest epoch that the network's next ones must follow; null: none is known, or its network lost it */
  lastEpoch: Signed<Epoch> | null
  /** an epoch that this rig heard of under that key; null: it did not */
  knownEpoch: (key: string, number: number) => Epoch | null
  onPinned: (key: string) => void
  /** Called with each new epoch, once its signature is checked. */
  onEpoch: (epoch: Signed<Epoch>) => void
}

/** The state of one network; `current` throws Failure `unavailable` before the first answer. */
export function createNetworkState({ clock }: Pick<RigContext, 'clock'>, options: NetworkStateOptions): NetworkState {
  const { session, networkName, signatures } = options
  let pinned = options.pinnedKey
  let newest = options.lastEpoch
  let announced: string | undefined
  let current: KnownNetwork | null = null
  let refreshedAt = Number.NEGATIVE_INFINITY
  /** type, id and signature of objects that were checked: the same signed object is not checked every second */
  const genuine = new Set<string>()

  const check = (
    type: 'parameters' | 'listing' | 'epoch',
    signed: Parameters<typeof isGenuine>[1],
    key: string,
  ): void => {
    const mark = `${type}/${signed.id}/${signed.signature}`
    if (genuine.has(mark)) return
    if (!isGenuine(type, signed, signatures, key)) {
      throw new Failure('network-refused', message('network-not-signed', { network: networkName, what: type }))
    }
    if (genuine.size > 1000) genuine.clear()
    genuine.add(mark)
  }

  const checkChain = (epoch: Signed<Epoch>, before: Signed<Epoch> | null): void => {
    const numbered = (number: number) => options.knownEpoch(epoch.key, number)
    const fault = epochFault(epoch.body, { newest: before?.body ?? null, numbered })
    if (fault === null) return
    throw new Failure('network-refused', message('network-epoch-not-following', { network: networkName, fault }))
  }

  const take = (welcome: Welcome): KnownNetwork => {
    if (pinned !== null && welcome.networkKey !== pinned) {
      throw new Failure('network-refused', message('network-other-key', { network: networkName }))
    }
    check('parameters', welcome.parameters, welcome.networkKey)
    for (const listing of welcome.listings) check('listing', listing, welcome.networkKey)
    check('epoch', welcome.epoch, welcome.networkKey)
    if (welcome.nextEpoch) check('epoch', welcome.nextEpoch, welcome.networkKey)
    const bound =
      welcome.epoch.body.network === welcome.networkKey &&
      welcome.parameters.body.network === welcome.networkKey &&
      welcome.listings.every(({ body }) => body.network === welcome.networkKey) &&
      welcome.epoch.body.parameters === welcome.parameters.id &&
      (welcome.nextEpoch === undefined ||
        (welcome.nextEpoch.body.network === welcome.networkKey &&
          welcome.nextEpoch.body.number === welcome.epoch.body.number + 1))
    if (!bound) {
      throw new Failure('network-refused', message('network-not-its-own', { network: networkName }))
    }
    if (welcome.epoch.id !== newest?.id) checkChain(welcome.epoch, newest)
    if (welcome.nextEpoch && welcome.nextEpoch.id !== announced) checkChain(welcome.nextEpoch, welcome.epoch)
    newest = welcome.epoch
    announced = welcome.nextEpoch?.id
    if (pinned === null) {
      pinned = welcome.networkKey
      options.onPinned(pinned)
    }
    const before = current?.epoch.number
    current = {
      networkKey: welcome.networkKey,
      parameters: welcome.parameters.body,
      models: listedModels(welcome),
      epoch: welcome.epoch.body,
      signedEpoch: welcome.epoch,
      next: welcome.nextEpoch?.body ?? null,
      clockOffset: welcome.now - clock.now(),
    }
    refreshedAt = clock.monotonic()
    if (before !== current.epoch.number) options.onEpoch(current.signedEpoch)
    return current
  }

  const reread = async (): Promise<KnownNetwork> => {
    const answer = await session.current({})
    if (answer.ok) return take(answer.value)
    const refusal = refusalMessage(answer.refusal.code)
    throw new Failure('network-refused', message('network-no-epoch', { network: networkName, refusal }))
  }

  return {
    get known() {
      return current !== null
    },
    get current() {
      if (current === null) throw new Failure('unavailable', message('network-not-answered', { network: networkName }))
      return current
    },
    hello: async (devices) => {
      // A network that this rig never heard is asked for its key, and the hello names it by that.
      const network = pinned ?? (await reread()).networkKey
      const body = {
        protocolVersion: PROTOCOL_VERSION,
        rig: options.signer.publicKeyHex,
        network,
        at: clock.now(),
        // More than a message holds still mine: the network need not know of them beforehand.
        devices: devices.slice(0, MAX_DEVICES),
      }
      const answer = await session.hello(signObject('hello', body, options.signer))
      if (!answer.ok) {
        const refusal = refusalMessage(answer.refusal.code)
        throw new Failure('network-refused', message('network-refused-rig', { network: networkName, refusal }))
      }
      take(answer.value)
    },
    refresh: async () => {
      const due = clock.monotonic() - refreshedAt >= REFRESH_MILLISECONDS
      const over = current !== null && clock.now() + current.clockOffset >= current.epoch.endsAt
      return current !== null && !due && !over ? current : reread()
    },
    reread,
  }
}

/** What the parameters list already, a listing does not change. */
function listedModels({ parameters, listings }: Welcome): ReadonlyMap<string, ListedModel> {
  const listed = [...listings.map(({ body }) => body.model), ...parameters.body.models]
  return new Map(listed.map((model) => [model.hash, model]))
}
