/** Credit of useful work by kind. The numbers are written by `npm run calibrate:factors`. */
import type { JobKind } from '#shared/domain/job'
import type { ModelFactor } from '#shared/protocol/parameters'
import type { Buyer } from './store'

/**
 * 1.25 × (MAC/s of `itp1-base` with the fastest backend) ÷ (MAC/s of the kind) in thousandths, so that a second of useful
 * work earns at least 1.25 × a second of proof. Measured on the models that a fresh machine gets (the machine and the figures
 * stand in docs/benchmarks.md) and rounded up by 5 % at most. Decoding one token at a time waits for memory and so has the
 * highest factor. A person's own model, which the network lists by itself, has the factor of its kind, since the cost of a
 * multiply-accumulate depends mostly on the kind; the operator gives listed models factors of their own.
 */
export const KIND_FACTORS_MILLI: Readonly<Record<JobKind, ModelFactor>> = {
  chat: { prompt: 5650, generated: 49_000 },
  embed: { prompt: 5250, generated: 0 },
  ocr: { prompt: 17_000, generated: 0 },
}

/** The factor of the unit of account: a MAC of proof. */
const PROOF_FACTOR_MILLI = 1000

/** What a job's work counts by. A synthetic job tests the rig: MAC for MAC it earns at most what proof does, so nobody lives on tests. */
export function leasedFactor(buyer: Buyer, { prompt, generated }: ModelFactor): ModelFactor {
  if (buyer !== 'sample') return { prompt, generated }
  return { prompt: Math.min(prompt, PROOF_FACTOR_MILLI), generated: Math.min(generated, PROOF_FACTOR_MILLI) }
}
