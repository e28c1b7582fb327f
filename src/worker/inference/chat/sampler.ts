/** Chooses the next token: the best one, or with a temperature one drawn by a generator that a verifier can redo. */
import type { ChatSampling } from '#shared/domain/job'
import { expOfNegative } from './exponential'
import { uniformAt } from './philox'

export interface Sampler {
  /** The token chosen from a row of logits. Positions count the generated tokens from 0, in order. */
  choose(logits: Float32Array): number
}

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
  const ranked = rankedTokens(scores, most, temperature)
  /** 1 for the best token; 0 for tokens that min-p leaves out */
  const weight = (id: number): number => {
    const value = expOfNegative((scores[id]! - most) / temperature)
    return value >= minP ? value : 0
  }
  let sum = 0
  if (topK > 0) for (let rank = 0; rank < topK && ranked(rank) !== undefined; rank++) sum += weight(ranked(rank)!)
  else for (let id = 0; id < scores.length; id++) sum += weight(id)
  const limit = topK > 0 ? topK : Infinity
  let count = 0
  let keptSum = sum
  if (topP < 1) {
    keptSum = 0
    while (count < limit && (count === 0 || keptSum < topP * sum)) {
      const id = ranked(count)
      if (id === undefined || weight(id) === 0) break
      keptSum += weight(id)
      count++
    }
  }
  let cumulative = 0
  let last = ranked(0)!
  for (let rank = 0; rank < (topP < 1 ? count : limit); rank++) {
    const id = ranked(rank)
    if (id === undefined || weight(id) === 0) break
    last = id
    cumulative += weight(id)
    if (cumulative > uniform * keptSum) return id
  }
  return last
}

/** Tokens whose logits differ by less than so many temperatures are sorted together. */
const BAND = 6

/**
 * Tokens by their rank, best first, equal ones by lower id. Sorts only as many tokens as are asked for: nearly always the
 * first few of tens of thousands.
 */
function rankedTokens(scores: Float32Array, most: number, temperature: number): (rank: number) => number | undefined {
  const ranked: number[] = []
  let above = Infinity
  let least = most
  return (rank) => {
    while (rank >= ranked.length && above > -Infinity) {
      least = ranked.length > scores.length / 8 ? -Infinity : least - BAND * temperature
      const band: number[] = []
      for (let id = 0; id < scores.length; id++) {
        const score = scores[id]!
        if (score >= least && score < above) band.push(id)
      }
      band.sort((one, other) => scores[other]! - scores[one]! || one - other)
      for (const id of band) ranked.push(id)
      // Tokens far below the best one have no weight.
      above = least < most - 10 * BAND * temperature ? -Infinity : least
    }
    return ranked[rank]
  }
}
