/** What each device did, thinned to what a screen can show. */
import type { LaneSpan } from '#shared/contract/engine'

export type LaneActivity = LaneSpan['activity']
export interface LaneBar {
  activity: LaneActivity
  fromPercent: number
  toPercent: number
}

const BUCKETS = 240
/** The smallest share of a part that a job is drawn with: about a pixel, so that a short job can be seen. */
const LEAST_SHARE = 0.25

/** Bars of one device between `from` and `to`: each of 240 equal parts is divided among what was done in it; equal neighbours are one bar. */
export function laneBars(spans: readonly LaneSpan[], from: number, to: number): LaneBar[] {
  const width = (to - from) / BUCKETS
  if (!(width > 0)) return []
  const shares: Map<LaneActivity, number>[] = Array.from({ length: BUCKETS }, () => new Map())
  for (const span of spans) {
    const first = Math.max(0, Math.floor((span.from - from) / width))
    const last = Math.min(BUCKETS - 1, Math.floor((span.to - from) / width))
    for (let index = first; index <= last; index++) {
      const start = from + index * width
      const overlap = Math.min(span.to, start + width) - Math.max(span.from, start)
      const bucket = shares[index]
      if (bucket && overlap > 0) bucket.set(span.activity, (bucket.get(span.activity) ?? 0) + overlap)
    }
  }
  const bars: LaneBar[] = []
  shares.forEach((bucket, index) => {
    let place = index
    for (const [activity, share] of divided(bucket, bars.at(-1)?.activity)) {
      const fromPercent = (place / BUCKETS) * 100
      place += share
      const toPercent = (place / BUCKETS) * 100
      const before = bars.at(-1)
      if (before && before.activity === activity && Math.abs(before.toPercent - fromPercent) < 1e-6)
        before.toPercent = toPercent
      else bars.push({ activity, fromPercent, toPercent })
    }
  })
  return bars
}

/** What was done in one part, as shares of it; what goes on from the part before comes first. */
function divided(times: Map<LaneActivity, number>, continued: LaneActivity | undefined): [LaneActivity, number][] {
  const all = [...times.values()].reduce((sum, time) => sum + time, 0)
  const seen = [...times].map(([activity, time]): [LaneActivity, number] => [
    activity,
    times.size === 1 ? 1 : Math.max(LEAST_SHARE, time / all),
  ])
  const sum = seen.reduce((total, [, share]) => total + share, 0)
  return seen
    .map(([activity, share]): [LaneActivity, number] => [activity, share / sum])
    .toSorted(([one], [other]) => Number(other === continued) - Number(one === continued))
}
