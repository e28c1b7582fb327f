import type { ModelCard } from './card'
import { objectId } from './signed'

/** The model's name on the network: SHA-256 over the sorted (path, bytes, sha256) of its files, as canonical JSON. */
export function modelHash(card: Pick<ModelCard, 'files'>): string {
  const files = card.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))
  return objectId(files.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
}
