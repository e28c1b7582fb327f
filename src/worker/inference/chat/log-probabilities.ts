/** The most probable tokens of a row of logits: the greedy choice, and the evidence for it. */
import { sumOfExponentials } from './exponential'

export const EVIDENCE_TOKENS = 5

/**
 * The five most probable tokens as [id, natural log-probability], best first, equal ones by lower id; the first is the
 * greedy choice. A `drawn` token that is not among them comes sixth. log p = logit − max − ln Σ exp(logit − max), over the whole vocabulary, in double precision.
 * Undefined when the logits are no numbers.
 */
export function bestTokens(logits: Float32Array, drawn?: number): [id: number, logProbability: number][] | undefined {
  const best: number[] = []
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!
    if (Number.isNaN(logit)) return undefined
    if (best.length === EVIDENCE_TOKENS && logit <= logits[best[EVIDENCE_TOKENS - 1]!]!) continue
    let place = best.length
    while (place > 0 && logit > logits[best[place - 1]!]!) place--
    best.splice(place, 0, id)
    if (best.length > EVIDENCE_TOKENS) best.pop()
  }
  const maximum = logits[best[0] ?? 0]
  if (maximum === undefined || !Number.isFinite(maximum)) return undefined
  const logSum = Math.log(sumOfExponentials(logits, maximum))
  if (drawn !== undefined && !best.includes(drawn)) best.push(drawn)
  return best.map((id) => [id, logits[id]! - maximum - logSum])
}
