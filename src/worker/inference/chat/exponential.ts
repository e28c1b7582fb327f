/** Powers of e, fast: a row of logits needs tens of thousands of them for each token. */

const STEPS = 64
/** Values below e^−40 are negligible beside the largest value, 1. */
const LEAST = -40
const table = Float64Array.from({ length: -LEAST * STEPS + 1 }, (_, index) => Math.exp(-index / STEPS))

/** e^x for x ≤ 0, relative error below 10⁻¹⁰; 0 below e^−40. By a table and four terms of the series. */
export function expOfNegative(x: number): number {
  if (!(x > LEAST)) return 0
  const index = (-x * STEPS) | 0
  const rest = x + index / STEPS
  return table[index]! * (1 + rest * (1 + rest * (0.5 + rest * (1 / 6 + rest * (1 / 24)))))
}

/** Σ e^(value − maximum). */
export function sumOfExponentials(values: Float32Array, maximum: number): number {
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += expOfNegative(values[index]! - maximum)
  return sum
}
