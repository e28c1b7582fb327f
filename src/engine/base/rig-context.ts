/** What every part of this rig's engine uses. engine.ts makes it once and passes it whole; a part's own needs are its options. */
import type { ProcessHost } from '#process/host'
import type { Clock } from '#process/clock'
import type { Ledger } from '../ledger'
import type { EngineEvents } from './events'
import type { Log } from './log'

export interface RigContext {
  /** of Lode */
  version: string
  /** absolute path of the data folder */
  dataDir: string
  clock: Clock
  /** returns `count` unpredictable bytes */
  randomBytes: (count: number) => Uint8Array
  /** 0 ≤ x < 1; for jitter */
  randomFraction: () => number
  host: ProcessHost
  log: Log
  ledger: Ledger
  events: EngineEvents
}
