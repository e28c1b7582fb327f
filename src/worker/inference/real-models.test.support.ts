/** The real models that tests use where they exist: manifests from resources/cards, files from ../shared/models. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { modelManifest } from '#shared/domain/manifest'
import { installedModelOf, type InstalledModel } from '#shared/domain/model-stages'

const repository = join(dirname(fileURLToPath(import.meta.url)), '../../..')

export const chatModel = realModel('smollm2-135m-instruct-int4')
export const embedModel = realModel('all-minilm-l6-v2-int8')

/** The model's place, or undefined (with the reason printed) when its folder is not there. */
function realModel(id: string): InstalledModel | undefined {
  const folder = join(repository, '../shared/models', id)
  if (!existsSync(join(folder, 'model.onnx'))) {
    console.log(`skipped: ../shared/models/${id} is not there`)
    return undefined
  }
  const manifest = modelManifest.parse(
    JSON.parse(readFileSync(join(repository, 'resources/cards', `${id}.json`), 'utf8')),
  )
  return installedModelOf(manifest, folder)
}
