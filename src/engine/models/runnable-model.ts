/** An installed model that can run here. */
import type { ModelCard } from '#shared/domain/card'

export interface RunnableModel {
  card: ModelCard
  hash: string
  /** absolute */
  folder: string
}
