/** What every part of this rig's engine stands on. engine.ts makes it once; parts take it whole and add what is their own. */
import type { ProcessHost } from '#process/host'
import type { Clock } from '#process/clock'
import type { Ledger } from '../ledger'
import type { EngineEvents } from './events'
import type { Log } from './log'

export interface RigContext {
  version: string
  /** absolute */
  dataDir: string
  clock: Clock
  /** that many unpredictable bytes */
  randomBytes: (count: number) => Uint8Array
  /** 0 ≤ x < 1; for jitter */
  randomFraction: () => number
  host: ProcessHost
  log: Log
  ledger: Ledger
  events: EngineEvents
}
