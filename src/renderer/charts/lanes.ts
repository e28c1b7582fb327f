/** What each device did, thinned to what a screen can show. */
import type { LaneSpan } from '#shared/contract/engine'

export type LaneActivity = LaneSpan['activity']
export interface LaneBar {
  activity: LaneActivity
  fromPercent: number
  toPercent: number
}

const BUCKETS = 240

/** Bars of one device between `from` and `to`: each of 240 equal parts shows what took most of it, equal neighbours are one bar. */
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
    const most = [...bucket].toSorted((a, b) => b[1] - a[1])[0]
    if (!most) return
    const before = bars.at(-1)
    const fromPercent = (index / BUCKETS) * 100
    const toPercent = ((index + 1) / BUCKETS) * 100
    if (before && before.activity === most[0] && before.toPercent === fromPercent) before.toPercent = toPercent
    else bars.push({ activity: most[0], fromPercent, toPercent })
  })
  return bars
}
