/** What a job counts for, as the network that announced these parameters computes it. */
import { jobMacs, type ModelCard } from '#shared/domain/card'
import { blendedFactorMilli, creditMacs } from '#shared/domain/credit'
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
  const work = jobMacs(card.macFormula, sizes)
  const macs = work.prompt + work.generated
  const factorMilli = blendedFactorMilli([
    { macs: work.prompt, factorMilli: BigInt(factor?.prompt ?? 0) },
    { macs: work.generated, factorMilli: BigInt(factor?.generated ?? 0) },
  ])
  return { macs, factorMilli, creditMacs: creditMacs(macs, factorMilli) }
}
