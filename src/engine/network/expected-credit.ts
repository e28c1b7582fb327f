/** The expected credit of a job, computed as the network does from what it lists. */
import { jobMacs } from '#shared/domain/manifest'
import { creditMacs, jobWork } from '#shared/domain/credit'
import type { JobSizes } from '#shared/domain/job'
import type { ListedModel, ModelFactor } from '#shared/protocol/parameters'

/**
 * MACs from the job's sizes, the two factors of a chat blended by them, and the credit. Zeros for a model that the network
 * does not list. `leased`: the factor of the job's lease, where it is not what is listed.
 */
export function expectedCredit(
  listed: Pick<ListedModel, 'macFormula' | 'factorMilli'> | undefined,
  sizes: JobSizes,
  leased?: ModelFactor,
): { macs: bigint; factorMilli: bigint; creditMacs: bigint } {
  if (!listed) return { macs: 0n, factorMilli: 0n, creditMacs: 0n }
  const work = jobWork(jobMacs(listed.macFormula, sizes), leased ?? listed.factorMilli)
  return { ...work, creditMacs: creditMacs(work.macs, work.factorMilli) }
}
