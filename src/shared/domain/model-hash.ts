import type { ModelManifest } from './manifest'
import { objectId } from './signed'

/** The model's name on the network: SHA-256 over the sorted (path, bytes, sha256) of its files, as canonical JSON. */
export function modelHash(manifest: Pick<ModelManifest, 'files'>): string {
  const files = manifest.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))
  return objectId(files.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
}
