/** This rig's link to its network: the sessions, the state of the network that was checked, and the submissions under way. */
import { buyerProtocol, type BuyerSession } from '#shared/protocol/buyer-session'
import type { Epoch } from '#shared/protocol/epoch'
import { rigProtocol, type RigSession } from '#shared/protocol/rig-session'
import type { Signed, SignatureVerifier, Signer } from '#shared/domain/signed'
import { pinNetworkKey, type RigContext } from '../base'
import { createNetworkState, type NetworkState } from './network-state'
import { patientSession } from './patient-session'
import { createSubmissions, type Submissions } from './submissions'
import { createVerifiedSession, type VerifiedSession } from './verified-session'

export interface NetworkLink {
  /** for people, and for rows of the ledger; signed objects name the network by its key */
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
  /** the newest epoch that the network's next ones must follow; null: none is known, or its network lost it */
  lastEpoch: Signed<Epoch> | null
  onEpoch: (epoch: Signed<Epoch>) => void
}

/** Links the rig to a network. Epochs and keys that the network states are written to the ledger once their signatures are checked. */
export function linkNetwork(
  rig: Pick<RigContext, 'ledger' | 'clock' | 'events' | 'log' | 'randomFraction'>,
  { networkName, rigSession, buyerSession, signer, signatures, networkKey, lastEpoch, onEpoch }: LinkOptions,
): NetworkLink {
  const { ledger } = rig
  // Shares and results are sent again by themselves; a piece of text that comes later is of no use.
  const patientRig = patientSession(rig, rigProtocol, rigSession, ['submitShare', 'submitJob', 'publishTokens'])
  const rigKey = signer.publicKeyHex
  const networkState = createNetworkState(rig, {
    session: patientRig,
    networkName,
    signer,
    signatures,
    pinnedKey: networkKey,
    lastEpoch,
    knownEpoch: (key, number) => ledger.epochUnder(networkName, key, number)?.body ?? null,
    onPinned: (key) => pinNetworkKey(ledger, networkName, key),
    onEpoch: (epoch) => {
      ledger.recordEpoch(epoch, networkName)
      onEpoch(epoch)
    },
  })
  const session = createVerifiedSession(rig, { session: patientRig, networkName, networkState, rigKey, signatures })
  const submissions = createSubmissions(rig, { session, networkName, networkState, signer })
  const buyer = patientSession(rig, buyerProtocol, buyerSession)
  return { networkName, session, buyer, networkState, submissions, rigKey }
}
