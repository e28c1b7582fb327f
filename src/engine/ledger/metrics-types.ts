/** Metrics: measurements of every second, for charts and energy. If they are lost, no credit is lost. */
import type { Period } from '#shared/contract/common'
import type { History, LaneSpan } from '#shared/contract/engine'
import type { WorkEnergy } from '#shared/domain/energy'
import type { LedgerClock, LedgerNotice } from './types'

export type ActivityShares = Partial<Record<LaneSpan['activity'] | 'idle', number>>

/** One device over the last `milliseconds`. */
export interface DeviceSample {
  deviceId: string
  activity: LaneSpan['activity'] | 'idle'
  /** the share of the time in each activity, 0 to 1; absent: `activity` all the time */
  shares?: ActivityShares
  /** work and its expected credit in this time */
  macs: number
  creditMacs: number
  /** joules that the device took in this time; null: not known */
  joules: number | null
  /** the part of the joules that a sensor or counter measured */
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
  /** Adds a sample, which is written within ten seconds. Never throws for an error of the disk: metrics must stop nothing. */
  append(sample: MetricsSample): void
  /** A pause began, or its causes changed. */
  pauseBegan(cause: string, at: number): void
  /** The pause ended, at UTC ms. */
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
