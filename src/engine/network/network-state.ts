/** What the network says now: epoch, parameters, clock offset. Every signature is checked before its content is used. */
import { Failure } from '#shared/domain/errors'
import { message, refusalMessage } from '#shared/domain/messages'
import { isGenuine, signObject, type Signed, type SignatureVerifier, type Signer } from '#shared/domain/signed'
import { PROTOCOL_VERSION, type NetworkParameters } from '#shared/protocol/parameters'
import type { Epoch } from '#shared/protocol/epoch'
import type { Welcome } from '#shared/protocol/hello'
import { MAX_DEVICES } from '#shared/protocol/bounds'
import type { RigSession } from '#shared/protocol/rig-session'
import type { RigContext } from '../base'

export interface KnownNetwork {
  networkKey: string
  parameters: NetworkParameters
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
  onPinned: (key: string) => void
  /** Called with each new epoch, once its signature is checked. */
  onEpoch: (epoch: Signed<Epoch>) => void
}

/** The state of one network; `current` throws Failure `unavailable` before the first answer. */
export function createNetworkState({ clock }: Pick<RigContext, 'clock'>, options: NetworkStateOptions): NetworkState {
  const { session, networkName, signatures } = options
  let pinned = options.pinnedKey
  let current: KnownNetwork | null = null
  let refreshedAt = Number.NEGATIVE_INFINITY
  /** type, id and signature of objects that were checked: the same signed object is not checked every second */
  const genuine = new Set<string>()

  const check = (type: 'parameters' | 'epoch', signed: Parameters<typeof isGenuine>[1], key: string): void => {
    const mark = `${type}/${signed.id}/${signed.signature}`
    if (genuine.has(mark)) return
    if (!isGenuine(type, signed, signatures, key)) {
      throw new Failure('network-refused', message('network-not-signed', { network: networkName, what: type }))
    }
    if (genuine.size > 100) genuine.clear()
    genuine.add(mark)
  }

  const take = (welcome: Welcome): KnownNetwork => {
    if (pinned !== null && welcome.networkKey !== pinned) {
      throw new Failure('network-refused', message('network-other-key', { network: networkName }))
    }
    check('parameters', welcome.parameters, welcome.networkKey)
    check('epoch', welcome.epoch, welcome.networkKey)
    if (welcome.nextEpoch) check('epoch', welcome.nextEpoch, welcome.networkKey)
    const bound =
      welcome.epoch.body.network === networkName &&
      welcome.parameters.body.network === networkName &&
      welcome.epoch.body.parameters === welcome.parameters.id &&
      (welcome.nextEpoch === undefined || welcome.nextEpoch.body.network === networkName)
    if (!bound) {
      throw new Failure('network-refused', message('network-not-its-own', { network: networkName }))
    }
    if (pinned === null) {
      pinned = welcome.networkKey
      options.onPinned(pinned)
    }
    const before = current?.epoch.number
    current = {
      networkKey: welcome.networkKey,
      parameters: welcome.parameters.body,
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
      const body = {
        protocolVersion: PROTOCOL_VERSION,
        rig: options.signer.publicKeyHex,
        network: networkName,
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
