/** Why the rig proves capacity although a useful job would earn more. */
import type { EngineStatus } from '#shared/contract/engine'
import { jobKinds, type JobKind } from '#shared/domain/job'

/** The reason; null: a device works on a job, or none proves. `kinds`: the kinds that have a ready model. */
export function whyNoJobs(state: {
  runners: readonly { state: string; runningJobs: readonly unknown[] }[]
  kinds: readonly JobKind[]
  samples: boolean
}): EngineStatus['noJobs'] {
  const { runners, kinds, samples } = state
  const isProving = runners.some((runner) => runner.state === 'proving')
  if (!isProving || runners.some((runner) => runner.runningJobs.length > 0)) return null
  const missingKinds = jobKinds.filter((kind) => !kinds.includes(kind))
  if (kinds.length === 0) return { reason: 'no-model', missingKinds }
  return { reason: samples ? 'no-work' : 'samples-off', missingKinds }
}
