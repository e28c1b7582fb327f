/** How fast a job's tokens were computed. */
import type { WorkRow } from '#shared/contract/jobs'
import { count, three } from '../../ui/format'

/**
 * Tokens per second over the job's whole time in the worker: generated tokens of a chat, tokens read of embeddings. Three
 * digits, whole from 100 on. Null for a job without tokens.
 */
export function tokensPerSecond({ tokens, milliseconds }: Pick<WorkRow, 'tokens' | 'milliseconds'>): string | null {
  const number = tokens === null ? 0 : tokens.output > 0 ? tokens.output : tokens.input
  if (number === 0 || milliseconds === null || milliseconds <= 0) return null
  const rate = (number * 1000) / milliseconds
  return rate < 100 ? three(rate) : count(Math.round(rate))
}
