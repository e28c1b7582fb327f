/** Metrics: what was measured, second by second; for charts and energy. Losing it loses no credit. */
import type { Period } from '#shared/contract/common'
import type { History, LaneSpan } from '#shared/contract/engine'
import type { WorkEnergy } from '#shared/domain/energy'
import type { LedgerClock, LedgerNotice } from './types'

export type ActivityShares = Partial<Record<LaneSpan['activity'] | 'idle', number>>

/** One device over the last `milliseconds`. */
export interface DeviceSample {
  deviceId: string
  activity: LaneSpan['activity'] | 'idle'
  /** what it did in this time, 0 to 1 of it each; absent: `activity` all the time */
  shares?: ActivityShares
  /** work and its expected credit in this time */
  macs: number
  creditMacs: number
  /** what it took in this time; null: not known */
  joules: number | null
  /** of the joules, those that a sensor or counter gave */
  measuredJoules: number
}
export interface MetricsSample {
  /** end of the interval, UTC ms */
  at: number
  /** length of the interval, by a monotonic clock; about 1000 */
  milliseconds: number
  devices: readonly DeviceSample[]
}

export interface Metrics {
  readonly file: string
  /** Kept in memory for up to ten seconds before it is written. Never throws for the disk: metrics stop nothing. */
  append(sample: MetricsSample): void
  /** A pause began, or its causes changed. */
  pauseBegan(cause: string, at: number): void
  pauseEnded(at: number): void
  /** Points, lanes and pauses up to now. 1h: 10 s steps, 3h: 1 min, 24h: 5 min, 7d: 30 min. */
  history(period: Period): History
  /** Energy in [from, to), exact to a quarter of an hour beyond the last week. Null: nothing is known. */
  energy(from: number, to: number): WorkEnergy | null
  /** How long at least one device worked in [from, to). */
  miningSeconds(from: number, to: number): number
  close(): void
}

export interface OpenMetricsOptions {
  folder: string
  clock: LedgerClock
  onNotice: (notice: LedgerNotice) => void
}
