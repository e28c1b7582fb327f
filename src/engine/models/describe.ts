/** The manifest of a model that is about to be installed. */
import type { ModelManifest, ModelFile } from '#shared/domain/manifest'
import { message } from '#shared/domain/messages'
import type { Provenance } from './given-model'
import { recognize } from './known-manifests'
import { refused } from './refusal'
import type { Selection } from './selection'

/** The manifest of copied files, still without the MACs and the context, which the probe finds. Throws a Failure for a wrong hash. */
export function describeModel(
  files: ModelFile[],
  selection: Selection,
  { folderName, name, licence, source, origin, agreement }: Provenance,
  known: readonly ModelManifest[],
): ModelManifest {
  for (const graph of selection.graphs) {
    const copied = files.find((file) => file.path === graph.path)
    if (copied?.sha256 !== graph.sha256) throw refused(message('model-changed-while-copied', { file: graph.path }))
  }
  const { manifest } = selection
  if (manifest) {
    const wrong = files.find(
      (file) => manifest.files.find((listed) => listed.path === file.path)?.sha256 !== file.sha256,
    )
    if (wrong) throw refused(message('model-not-card-hash', { file: wrong.path }))
    return manifest
  }
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return (
    // A model that Lode made or fetched is never taken for a known one, though it may share files with it.
    (origin === undefined ? recognize(sorted, folderName, known) : undefined) ?? {
      id: idFrom(folderName),
      kind: selection.kind,
      name: (name ?? folderName).slice(0, 120),
      files: sorted,
      licence: licence ?? 'unknown',
      source: source ?? 'added from a folder',
      ...(origin === undefined ? {} : { origin }),
      ...(agreement === undefined ? {} : { agreement }),
      context: 0,
      macFormula:
        selection.kind === 'chat'
          ? { kind: 'chat', perToken: 0, perLogits: 0, perPair: 0 }
          : { kind: 'embed', perToken: 0, perPair: 0 },
    }
  )
}

function idFrom(folderName: string): string {
  const id = folderName
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 80)
  return id === '' ? 'model' : id
}
