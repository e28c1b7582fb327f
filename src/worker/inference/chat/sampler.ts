/** Chooses the next token. Greedy unless a temperature is given; then drawn, by a generator that a verifier can redo. */
import type { ChatSampling } from '#shared/domain/job'
import { uniformAt } from './philox'

export interface Sampler {
  /** The token chosen from a row of logits. Positions count the generated tokens from 0, in order. */
  choose(logits: Float32Array): number
}

/** Below this, relative to the best one, a token's probability at temperature 1 is less than 10⁻¹³. */
const NEGLIGIBLE_LOGIT = 30

/**
 * Order of the steps: penalties, temperature, top-k, min-p, top-p, draw.
 *
 * - repetition r (of prompt and answer; Keskar et al. 2019): a positive logit is divided by r, a negative multiplied;
 * - frequency f and presence p (of the answer): logit − f · count − p · [count > 0];
 * - temperature T: p ∝ exp(logit / T), 0 takes the best, equal ones by lower id;
 * - top-k keeps the k best, min-p those with at least that share of the best one's probability, top-p the fewest whose
 *   probabilities sum to at least that;
 * - drawn is the first whose summed probability exceeds u, u = Philox4x32-10(position, seed).
 */
export function createSampler(sampling: ChatSampling | undefined, prompt: readonly number[]): Sampler {
  const seen = new Set(prompt)
  const counts = new Map<number, number>()
  let position = 0

  const note = (id: number): number => {
    seen.add(id)
    counts.set(id, (counts.get(id) ?? 0) + 1)
    position++
    return id
  }
  return {
    choose: (logits) => {
      if (sampling === undefined) return note(best(logits))
      const scores = penalized(logits, sampling, seen, counts)
      if (sampling.temperature === 0) return note(best(scores))
      return note(draw(scores, sampling, uniformAt(sampling.seed, position)))
    },
  }
}

function best(scores: Float32Array): number {
  let chosen = 0
  for (let id = 1; id < scores.length; id++) if (scores[id]! > scores[chosen]!) chosen = id
  return chosen
}

function penalized(
  logits: Float32Array,
  { repetitionPenalty, frequencyPenalty, presencePenalty }: ChatSampling,
  seen: ReadonlySet<number>,
  counts: ReadonlyMap<number, number>,
): Float32Array {
  if (repetitionPenalty === 1 && frequencyPenalty === 0 && presencePenalty === 0) return logits
  const scores = Float32Array.from(logits)
  if (repetitionPenalty !== 1) {
    for (const id of seen) {
      const score = scores[id]
      if (score !== undefined) scores[id] = score > 0 ? score / repetitionPenalty : score * repetitionPenalty
    }
  }
  for (const [id, count] of counts) scores[id]! -= frequencyPenalty * count + presencePenalty
  return scores
}

function draw(scores: Float32Array, { temperature, topK, minP, topP }: ChatSampling, uniform: number): number {
  const most = scores[best(scores)]!
  const least = most - NEGLIGIBLE_LOGIT * Math.max(1, temperature)
  const candidates: number[] = []
  for (let id = 0; id < scores.length; id++) if (scores[id]! >= least) candidates.push(id)
  candidates.sort((one, other) => scores[other]! - scores[one]! || one - other)
  if (topK > 0) candidates.length = Math.min(candidates.length, topK)
  let weights = candidates.map((id) => Math.exp((scores[id]! - most) / temperature))
  weights = weights.filter((weight) => weight >= minP)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  let kept = 0
  let keptSum = 0
  while (kept < weights.length && (kept === 0 || keptSum < topP * sum)) keptSum += weights[kept++]!
  let cumulative = 0
  for (let index = 0; index < kept; index++) {
    cumulative += weights[index]!
    if (cumulative > uniform * keptSum) return candidates[index]!
  }
  return candidates[Math.max(0, kept - 1)]!
}
