/** The expected credit of a job, computed as the network does from its announced parameters. */
import { jobMacs, type ModelManifest } from '#shared/domain/manifest'
import { creditMacs, jobWork } from '#shared/domain/credit'
import type { JobSizes } from '#shared/domain/job'
import type { ModelFactor, NetworkParameters } from '#shared/protocol/parameters'

/** MACs from the job's sizes, the two factors of a chat blended by them, and the credit. `hash`: the model's. `leased`: the factor of the job's lease, where it is not what the parameters say. */
export function expectedCredit(
  parameters: NetworkParameters,
  manifest: Pick<ModelManifest, 'kind' | 'macFormula'>,
  hash: string,
  sizes: JobSizes,
  leased?: ModelFactor,
): { macs: bigint; factorMilli: bigint; creditMacs: bigint } {
  const factor = leased ?? parameters.modelFactorsMilli[hash] ?? parameters.kindFactorsMilli[manifest.kind]
  const work = jobWork(jobMacs(manifest.macFormula, sizes), factor ?? { prompt: 0, generated: 0 })
  return { ...work, creditMacs: creditMacs(work.macs, work.factorMilli) }
}
