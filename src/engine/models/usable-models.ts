/** The installed models that this computer can run, with their names and kinds. */
import type { JobKind } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { ModelLibrary } from './library'
import type { ModelStore } from './store'

export interface UsableModels {
  /** models that are ready and fit this computer's memory */
  runnable(): InstalledModel[]
  /** the name of a model, by its hash */
  name(hash: string): string
  /** kinds of job for which a model is ready */
  kinds(): JobKind[]
}

export function createUsableModels(
  models: Pick<ModelStore, 'usable'>,
  library: Pick<ModelLibrary, 'fitsMemory'>,
): UsableModels {
  const runnable = (): InstalledModel[] => models.usable().filter(({ manifest }) => library.fitsMemory(manifest.id))
  return {
    runnable,
    name: (hash) => runnable().find((model) => model.hash === hash)?.manifest.name ?? 'a model that was removed',
    kinds: () => [...new Set(runnable().map(({ manifest }) => manifest.kind))],
  }
}
