/** This rig's line to its network: the sessions, what of the network was checked, and what is on its way there. */
import type { BuyerSession } from '#shared/protocol/buyer-session'
import type { Epoch } from '#shared/protocol/epoch'
import type { RigSession } from '#shared/protocol/rig-session'
import type { Signed, SignatureVerifier, Signer } from '#shared/domain/signed'
import { pinNetworkKey, type RigContext } from '../base'
import { createNetworkState, type NetworkState } from './network-state'
import { createSubmissions, type Submissions } from './submissions'
import { createVerifiedSession, type VerifiedSession } from './verified-session'

export interface NetworkLink {
  /** part of every signed object */
  networkName: string
  session: VerifiedSession
  /** the person's orders: the local person is a buyer like any other */
  buyer: BuyerSession
  networkState: NetworkState
  submissions: Submissions
  /** hex; signs what the rig submits */
  rigKey: string
}

export interface LinkOptions {
  networkName: string
  rigSession: RigSession
  buyerSession: BuyerSession
  signer: Signer
  signatures: SignatureVerifier
  /** hex; pinned when the rig joined; null where the first hello pins it */
  networkKey: string | null
  onEpoch: (epoch: Signed<Epoch>) => void
}

/** Epochs and keys that the network states are written to the ledger once they are checked. */
export function linkNetwork(
  rig: Pick<RigContext, 'ledger' | 'clock' | 'events' | 'log' | 'randomFraction'>,
  { networkName, rigSession, buyerSession, signer, signatures, networkKey, onEpoch }: LinkOptions,
): NetworkLink {
  const { ledger, clock, events, log } = rig
  const rigKey = signer.publicKeyHex
  const networkState = createNetworkState({
    session: rigSession,
    networkName,
    clock,
    signer,
    signatures,
    pinnedKey: networkKey,
    onPinned: (key) => pinNetworkKey(ledger, networkName, key),
    onEpoch: (epoch) => {
      ledger.recordEpoch(epoch)
      onEpoch(epoch)
    },
  })
  const session = createVerifiedSession({ session: rigSession, networkName, networkState, rigKey, signatures, clock })
  const submissions = createSubmissions({
    session,
    networkName,
    networkState,
    ledger,
    signer,
    clock,
    random: rig.randomFraction,
    events,
    log,
  })
  return { networkName, session, buyer: buyerSession, networkState, submissions, rigKey }
}
