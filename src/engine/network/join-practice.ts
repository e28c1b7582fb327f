/** Opens the practice network of this data folder, pins its key, and opens the sessions with it. */
import { buyerProtocol, type BuyerSession } from '#shared/protocol/buyer-session'
import { rigProtocol, type RigSession } from '#shared/protocol/rig-session'
import { directTransport, openSession, type SessionTransport } from '#shared/protocol/session-client'
import type { Epoch } from '#shared/protocol/epoch'
import type { Signed } from '#shared/domain/signed'
import { auditProtocol } from '#shared/protocol/audit'
import type { SessionService } from '#shared/protocol/session'
import type { Coordinator, OwnModels } from '#coordinator/coordinator'
import type { Message } from '#shared/domain/messages'
import type { InstalledModel } from '#shared/domain/model-stages'
import { createAppraiser } from './appraiser'
import { openPracticeNetwork } from './practice'
import { pinNetworkKey, pinnedNetworkKeys, type RigContext } from '../base'
import type { VerifierClient } from '../workers'

/** the network's name */
const PRACTICE = 'practice'

export interface JoinPracticeOptions {
  /** hex public key: whose session this is. It lives in the same program, so nothing is to be proved. */
  rigKey: string
  verifier: Pick<VerifierClient, 'digest' | 'generate' | 'appraise'>
  /** counts a model of the person, so that the network lists it: see `createModelCounter` */
  countModel: OwnModels['count']
  /** the model of that hash, where its files are on this computer and whole */
  installedModel: (hash: string) => InstalledModel | undefined
  /** length of an epoch, from the next one on; absent: the network's default */
  epochSeconds?: number
  /** whether the network accepts shares of the tests' tier */
  allowTestTier: boolean
  /** what carries the two sessions; absent: they are called directly */
  carrySession?: (service: SessionService) => SessionTransport
  onNotice: (notice: { severity: 'warning'; words: Message }) => void
}

/** A network that was joined: the sessions of its rig and of its person as a buyer. */
export interface JoinedNetwork {
  readonly networkName: string
  /** hex public key */
  readonly networkKey: string
  /** the newest epoch in the ledger that the network's next ones must follow */
  readonly lastEpoch: Signed<Epoch> | null
  readonly rigSession: RigSession
  readonly buyerSession: BuyerSession
  /** From now on epochs and leases end without a caller. Call it when the work of a former run was recovered. */
  start(): void
  /** Ends the sessions and closes the network's files. */
  close(): void
}

/** Files that were damaged are moved aside and recreated; `onNotice` is called for each. */
export async function joinPractice(
  {
    dataDir,
    clock,
    randomBytes,
    ledger,
    log,
  }: Pick<RigContext, 'dataDir' | 'clock' | 'randomBytes' | 'ledger' | 'log'>,
  {
    rigKey,
    verifier,
    countModel,
    installedModel,
    epochSeconds,
    allowTestTier,
    carrySession = directTransport,
    onNotice,
  }: JoinPracticeOptions,
): Promise<JoinedNetwork> {
  const practice = await openPracticeNetwork({
    folder: dataDir,
    verifier: { digest: (share) => verifier.digest(share) },
    appraiser: createAppraiser(verifier, installedModel),
    syntheticJobs: { generate: (kind, seed) => verifier.generate(kind, seed) },
    ownModels: { count: countModel },
    clock,
    random: randomBytes,
    onError: (error) =>
      log.error('the practice network could not look after its epochs and leases', { error: String(error) }),
    configuration: {
      // If only network.db was lost, its new store must not use numbers of epochs that the ledger has.
      firstEpoch: (ledger.latestEpoch(PRACTICE)?.body.number ?? -1) + 1,
      ownRig: rigKey,
      ...(epochSeconds === undefined ? {} : { epochSeconds }),
      ...(allowTestTier ? { tiers: ['itp1-test', 'itp1-small', 'itp1-base'] as const } : {}),
    },
  })
  for (const words of practice.notices) onNotice({ severity: 'warning', words })
  // The practice network lives in this folder: when its key file was recreated, this rig trusts the new key.
  const { coordinator, networkKey } = practice
  const { name } = coordinator
  let lastEpoch: Signed<Epoch> | null = null
  try {
    if (pinnedNetworkKeys(ledger)[name]?.at(-1) !== networkKey) pinNetworkKey(ledger, name, networkKey)
    const known = ledger.epochUnder(name, networkKey)
    if (known !== null && (await hasEpoch(coordinator, known))) lastEpoch = known
  } catch (error) {
    // A full disk: the start fails, and nothing of the network may go on by itself.
    practice.close()
    throw error
  }
  const rigSession = openSession(rigProtocol, carrySession(coordinator.rigSession(rigKey)))
  const buyerSession = openSession(buyerProtocol, carrySession(coordinator.buyerSession('person')))
  return {
    networkName: name,
    networkKey,
    lastEpoch,
    rigSession,
    buyerSession,
    start: practice.start,
    close: () => {
      rigSession.close()
      buyerSession.close()
      practice.close()
    },
  }
}

/**
 * Whether the network's store still has an epoch that the ledger knows. One that was lost, or put back from a copy, begins
 * a new chain of seeds, which a rig refuses from others: they would have to take a new key. Here it is the person's own.
 */
async function hasEpoch(coordinator: Coordinator, { id, body }: Signed<Epoch>): Promise<boolean> {
  const audit = openSession(auditProtocol, directTransport(coordinator.audit()))
  const answer = await audit.epochs({ from: body.number, limit: 1 })
  audit.close()
  return answer.ok && answer.value.epochs[0]?.id === id
}
