/** The settings of a network. Those that rigs must know beforehand are announced in the signed parameters. */
import {
  PROTOCOL_VERSION,
  type ListedModel,
  type ModelFactor,
  type NetworkParameters,
} from '#shared/protocol/parameters'
import type { JobKind } from '#shared/domain/job'
import type { TierName } from '#shared/domain/tiers'
import { DEFAULT_BUDGETS, type BudgetRules } from './budgets'
import { KIND_FACTORS_MILLI } from './kind-factors'

/**
 * Credit of proof work: `itp1-base` is the unit of account (protocol.md §1). The smaller tiers count half, so that
 * a rig with enough memory uses the large one.
 */
export const TIER_FACTORS_MILLI: Readonly<Record<TierName, number>> = {
  'itp1-test': 500,
  'itp1-small': 500,
  'itp1-base': 1000,
}

/** What missed known answers bring: see record.ts. */
export interface KnownAnswerRules {
  /** known answers missed in a row after which a rig gets no jobs for a while */
  missesToPause: number
  /** length of the first pause; each further one is twice as long */
  pauseSeconds: number
  longestPauseSeconds: number
  /** so long after a pause one pause is forgotten, and then another one each time */
  forgottenAfterSeconds: number
}

export interface CoordinatorConfiguration {
  /** the network's name, for people; signed objects name it by its key */
  name: string
  /** length of an epoch, from the next one on; the present epoch keeps its announced length */
  epochSeconds: number
  /** seconds a share is aimed to take once a device has climbed the ramp */
  shareIntervalSeconds: number
  /** after an epoch's end, how long its shares are still taken */
  graceSeconds: number
  /** how long before its start an epoch's seed is published */
  announceSeconds: number
  /** tiers that units are issued for */
  tiers: readonly TierName[]
  tierFactorsMilli: Readonly<Record<TierName, number>>
  /** the models that the network pays for */
  models: readonly ListedModel[]
  /** factors of models that the network lists by itself (`OwnModels`) */
  kindFactorsMilli: Readonly<Record<JobKind, ModelFactor>>
  /** seconds a share is aimed to take for the first units of a device's session, in order */
  rampSeconds: readonly number[]
  leaseSeconds: number
  /** leases of one job before it fails */
  maximumAttempts: number
  /** seconds after its beginning that a lease is renewed; then another attempt begins */
  longestLeaseSeconds: number
  /** jobs that a rig may hold at once */
  mostHeldJobs: number
  /** units that a rig may hold at once; each lasts until its epoch's grace is over */
  mostHeldUnits: number
  /** rigs that must say that no rig can do a job before it fails for that; practice has one rig */
  wordsToGiveUp: number
  /**
   * how long a rig that claimed a wrong digest is suspended, at least; 0: not at all. Practice has one rig, which quarantines
   * the graphics processor or driver that computed wrongly and goes on with its other devices.
   */
  suspensionSeconds: number
  /** what missed known answers bring */
  knownAnswers: KnownAnswerRules
  /**
   * the key of the rig that is one program with the network, hex: its work is credited unchecked too, and it has no record.
   * Absent: there is none, and unchecked work earns nothing
   */
  ownRig?: string
  /**
   * synthetic jobs that a rig is offered at most in an epoch. They are to take at most a fifth of its time: a fifth of 600 s is
   * 120 s, and the rig's own account assumes a second a job before it has measured one
   */
  mostSyntheticJobs: number
  /** how long a synthetic job may wait and run */
  syntheticJobSeconds: number
  /** what a rig or a buyer may cost in a minute */
  budgets: BudgetRules
  /** how long a delivery may wait for an appraiser that does not answer; then it is refused */
  checkSeconds: number
  /** how long output and evidence of a delivery are kept after it was judged; its hashes and receipt stay */
  evidenceSeconds: number
  /** how often epochs, leases and deliveries are looked after without a caller */
  tickSeconds: number
  /** number of the first epoch in an empty store */
  firstEpoch: number
}

/** Practice's rules; a pool overrides what differs. `itp1-test` is absent: a test network names it in `tiers`. */
export const DEFAULT_CONFIGURATION: CoordinatorConfiguration = {
  name: 'practice',
  epochSeconds: 600,
  shareIntervalSeconds: 10,
  graceSeconds: 30,
  announceSeconds: 60,
  tiers: ['itp1-small', 'itp1-base'],
  tierFactorsMilli: TIER_FACTORS_MILLI,
  models: [],
  kindFactorsMilli: KIND_FACTORS_MILLI,
  rampSeconds: [0.5, 2],
  leaseSeconds: 30,
  maximumAttempts: 3,
  longestLeaseSeconds: 21_600,
  mostHeldJobs: 64,
  mostHeldUnits: 4096,
  wordsToGiveUp: 1,
  suspensionSeconds: 0,
  knownAnswers: { missesToPause: 3, pauseSeconds: 600, longestPauseSeconds: 86_400, forgottenAfterSeconds: 86_400 },
  mostSyntheticJobs: 120,
  syntheticJobSeconds: 3600,
  budgets: DEFAULT_BUDGETS,
  checkSeconds: 86_400,
  // Six epochs, so that a check that comes after its epoch still finds them; an hour's results are some megabytes.
  evidenceSeconds: 3600,
  tickSeconds: 5,
  firstEpoch: 0,
}

/**
 * The part of a configuration that is announced and signed. `network`: its key, hex. `ownModels`: those that the network
 * listed by itself.
 */
export function parametersOf(
  configuration: CoordinatorConfiguration,
  network: string,
  ownModels: readonly ListedModel[] = [],
): NetworkParameters {
  return {
    network,
    name: configuration.name,
    protocolVersion: PROTOCOL_VERSION,
    epochSeconds: configuration.epochSeconds,
    shareIntervalSeconds: configuration.shareIntervalSeconds,
    graceSeconds: configuration.graceSeconds,
    tierFactorsMilli: { ...configuration.tierFactorsMilli },
    models: [...configuration.models, ...ownModels],
  }
}
