/** The practice network of this folder, opened and trusted. */
import type { EngineParts } from '../engine'
import type { Ledger } from '../ledger'
import { openPracticeNetwork, type PracticeNetwork } from './practice'
import { pinNetworkKey, pinnedNetworkKeys } from '../base'
import type { VerifierClient } from '../workers'

/** the network's name in its signed objects */
const PRACTICE = 'practice'

export interface JoinPracticeParts {
  engine: Pick<EngineParts, 'dataDir' | 'clock' | 'random' | 'epochSeconds' | 'allowTestTier'>
  ledger: Ledger
  verifier: Pick<VerifierClient, 'digest' | 'generate'>
  onNotice: (notice: { severity: 'warning'; code: string; message: string }) => void
}

/** `onNotice` learns which of its files were recreated. */
export async function joinPractice({
  engine,
  ledger,
  verifier,
  onNotice,
}: JoinPracticeParts): Promise<PracticeNetwork> {
  const practice = await openPracticeNetwork({
    folder: engine.dataDir,
    verifier: { digest: (share) => verifier.digest(share) },
    samples: { generate: (kind, seed) => verifier.generate(kind, seed) },
    clock: engine.clock,
    random: engine.random,
    configuration: {
      // Where only network.db was lost, its new store must not number epochs that the ledger knows.
      firstEpoch: (ledger.latestEpoch(PRACTICE)?.body.number ?? -1) + 1,
      ...(engine.epochSeconds === undefined ? {} : { epochSeconds: engine.epochSeconds }),
      ...(engine.allowTestTier ? { tiers: ['itp1-test', 'itp1-small', 'itp1-base'] as const } : {}),
    },
  })
  for (const { title, detail } of practice.notices)
    onNotice({ severity: 'warning', code: 'network-files', message: `${title}. ${detail}` })
  // The practice network lives in this folder: when its key file was recreated, this rig trusts the new key.
  const { name } = practice.coordinator
  if (pinnedNetworkKeys(ledger)[name]?.at(-1) !== practice.networkKey) pinNetworkKey(ledger, name, practice.networkKey)
  return practice
}
