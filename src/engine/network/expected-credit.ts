/** What a job counts for, as the network that announced these parameters computes it. */
import { jobMacs, type ModelCard } from '#shared/domain/card'
import { creditMacs, jobWork } from '#shared/domain/credit'
import type { JobSizes } from '#shared/domain/job'
import type { NetworkParameters } from '#shared/protocol/parameters'

/** MACs from the job's sizes, the two factors of a chat blended by them, and the credit. `hash`: the model's. */
export function expectedCredit(
  parameters: NetworkParameters,
  card: Pick<ModelCard, 'kind' | 'macFormula'>,
  hash: string,
  sizes: JobSizes,
): { macs: bigint; factorMilli: bigint; creditMacs: bigint } {
  const factor = parameters.modelFactorsMilli[hash] ?? parameters.kindFactorsMilli[card.kind]
  const work = jobWork(jobMacs(card.macFormula, sizes), factor ?? { prompt: 0, generated: 0 })
  return { ...work, creditMacs: creditMacs(work.macs, work.factorMilli) }
}
