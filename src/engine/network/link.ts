/** This rig's link to its network: the network, the state of it that was checked, and the submissions under way. */
import type { Network } from '#shared/protocol/network'
import type { Epoch } from '#shared/protocol/epoch'
import type { Signed, SignatureVerifier, Signer } from '#shared/domain/signed'
import { pinNetworkKey, type RigContext } from '../base'
import { createNetworkState, type NetworkState } from './network-state'
import { createSubmissions, type Submissions } from './submissions'

export interface NetworkLink {
  network: Network
  networkState: NetworkState
  submissions: Submissions
  /** hex; signs what the rig submits */
  rigKey: string
}

export interface LinkOptions {
  network: Network
  signer: Signer
  signatures: SignatureVerifier
  /** hex; pinned when the rig joined */
  networkKey: string
  onEpoch: (epoch: Signed<Epoch>) => void
}

/** Links the rig to a network. Epochs and keys that the network states are written to the ledger once their signatures are checked. */
export function linkNetwork(
  rig: Pick<RigContext, 'ledger' | 'clock' | 'events' | 'log' | 'randomFraction'>,
  { network, signer, signatures, networkKey, onEpoch }: LinkOptions,
): NetworkLink {
  const { ledger } = rig
  const networkState = createNetworkState(rig, {
    network,
    signer,
    signatures,
    pinnedKey: networkKey,
    onPinned: (key) => pinNetworkKey(ledger, network.name, key),
    onEpoch: (epoch) => {
      ledger.recordEpoch(epoch)
      onEpoch(epoch)
    },
  })
  const submissions = createSubmissions(rig, { network, networkState, signer, signatures })
  return { network, networkState, submissions, rigKey: signer.publicKeyHex }
}
