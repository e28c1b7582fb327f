/** The expected credit of a job, computed as the network does from its announced parameters. */
import { jobMacs, type ModelManifest } from '#shared/domain/manifest'
import { creditMacs, jobWork } from '#shared/domain/credit'
import type { JobSizes } from '#shared/domain/job'
import type { NetworkParameters } from '#shared/protocol/parameters'

/** MACs from the job's sizes, the two factors of a chat blended by them, and the credit. `hash`: the model's. */
export function expectedCredit(
  parameters: NetworkParameters,
  manifest: Pick<ModelManifest, 'kind' | 'macFormula'>,
  hash: string,
  sizes: JobSizes,
): { macs: bigint; factorMilli: bigint; creditMacs: bigint } {
  const factor = parameters.modelFactorsMilli[hash] ?? parameters.kindFactorsMilli[manifest.kind]
  const work = jobWork(jobMacs(manifest.macFormula, sizes), factor ?? { prompt: 0, generated: 0 })
  return { ...work, creditMacs: creditMacs(work.macs, work.factorMilli) }
}
