/** Arithmetic of the logarithmic scale: its range from the data, ticks, and positions in percent. */

export interface ScaleRange {
  /** both powers of ten */
  low: number
  high: number
}
export interface ScaleTick {
  percent: number
  /** 16, 11 or 6 px */
  length: number
  /** the value to write under it, if any */
  label: number | null
}

/** Whole decades around all values with room on both sides, at least two. Null without a value. */
export function scaleRange(values: readonly number[]): ScaleRange | null {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value))
  if (positive.length === 0) return null
  let low = Math.floor(Math.log10(Math.min(...positive) / 1.5))
  let high = Math.ceil(Math.log10(Math.max(...positive) * 1.5))
  if (high - low < 2) {
    // The value stays near the middle: widen on the side that it is closer to.
    const middle = (Math.log10(Math.min(...positive)) + Math.log10(Math.max(...positive))) / 2
    if (middle - low < high - middle) low -= 1
    else high += 1
  }
  return { low: 10 ** low, high: 10 ** high }
}

/** Where a value stands, 0 to 100. */
export function scalePercent(value: number, range: ScaleRange): number {
  const share = Math.log(value / range.low) / Math.log(range.high / range.low)
  return Math.min(100, Math.max(0, share * 100))
}

/** Slide-rule ticks: 1, 2 and 5 long and labelled, the others shorter the closer they stand. */
export function scaleTicks(range: ScaleRange): ScaleTick[] {
  const decades = Math.round(Math.log10(range.high / range.low))
  const ticks: ScaleTick[] = []
  for (let decade = 0; decade < decades; decade++) {
    const unit = range.low * 10 ** decade
    for (let tenth = 10; tenth < 100; tenth += tenth < 20 ? 1 : tenth < 50 ? 2 : 5) {
      const labelled = tenth === 10 || tenth === 20 || tenth === 50
      const length = labelled ? 16 : tenth % 10 === 0 || (tenth < 20 && tenth % 5 === 0) ? 11 : 6
      if (decades > 3 && length === 6) continue
      const value = (unit * tenth) / 10
      ticks.push({
        percent: scalePercent(value, range),
        length,
        label: labelled && (decades <= 3 || tenth !== 20) ? tidy(value) : null,
      })
    }
  }
  ticks.push({ percent: 100, length: 16, label: tidy(range.high) })
  return ticks
}

const tidy = (value: number): number => Number(value.toPrecision(3))
