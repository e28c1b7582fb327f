/** Opens the practice network of this data folder and pins its key. */
import { openPracticeNetwork, type PracticeNetwork } from './practice'
import { pinNetworkKey, pinnedNetworkKeys, type RigContext } from '../base'
import type { VerifierClient } from '../workers'

/** the network's name in its signed objects */
const PRACTICE = 'practice'

export interface JoinPracticeOptions {
  verifier: Pick<VerifierClient, 'digest' | 'generate'>
  /** length of an epoch, from the next one on; absent: the network's default */
  epochSeconds?: number
  /** whether the network accepts shares of the tests' tier */
  allowTestTier: boolean
  onNotice: (notice: { severity: 'warning'; code: string; message: string }) => void
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
  { verifier, epochSeconds, allowTestTier, onNotice }: JoinPracticeOptions,
): Promise<PracticeNetwork> {
  const practice = await openPracticeNetwork({
    folder: dataDir,
    verifier: { digest: (share) => verifier.digest(share) },
    syntheticJobs: { generate: (kind, seed) => verifier.generate(kind, seed) },
    clock,
    random: randomBytes,
    onError: (error) =>
      log.error('the practice network could not look after its epochs and leases', { error: String(error) }),
    configuration: {
      // If only network.db was lost, its new store must not use numbers of epochs that the ledger has.
      firstEpoch: (ledger.latestEpoch(PRACTICE)?.body.number ?? -1) + 1,
      ...(epochSeconds === undefined ? {} : { epochSeconds }),
      ...(allowTestTier ? { tiers: ['itp1-test', 'itp1-small', 'itp1-base'] as const } : {}),
    },
  })
  for (const { title, detail } of practice.notices)
    onNotice({ severity: 'warning', code: 'network-files', message: `${title}. ${detail}` })
  // The practice network lives in this folder: when its key file was recreated, this rig trusts the new key.
  const { name } = practice.coordinator
  if (pinnedNetworkKeys(ledger)[name]?.at(-1) !== practice.networkKey) pinNetworkKey(ledger, name, practice.networkKey)
  return practice
}
