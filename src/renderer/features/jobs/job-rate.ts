/** How fast a job's tokens were computed. */
import type { WorkRow } from '#shared/contract/jobs'
import { count, three } from '../../ui/format'

/**
 * Of a chat those generated, of embeddings those read, over the job's whole time in the worker; three digits, whole from
 * 100 on. Null where there are none.
 */
export function tokensPerSecond({ tokens, milliseconds }: Pick<WorkRow, 'tokens' | 'milliseconds'>): string | null {
  const number = tokens === null ? 0 : tokens.output > 0 ? tokens.output : tokens.input
  if (number === 0 || milliseconds === null || milliseconds <= 0) return null
  const rate = (number * 1000) / milliseconds
  return rate < 100 ? three(rate) : count(Math.round(rate))
}
