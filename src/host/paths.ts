/** Where things are: the data folder by the platform's convention, the programs and the page beside this program. */
import { join, resolve } from 'node:path'
import envPaths from 'env-paths'

/** `--data-dir` wins over LODE_DATA_DIR, that over the platform's convention. */
export function dataFolder(option: string | undefined): string {
  const chosen = option ?? process.env.LODE_DATA_DIR
  return chosen === undefined || chosen === '' ? envPaths('lode', { suffix: '' }).data : resolve(chosen)
}

/** out/node, where this program and the others lie. */
export const programFolder = import.meta.dirname
/** out/renderer, the screens. */
export const pageFolder = join(programFolder, '..', 'renderer')
/** cards, word lists and tables that come with Lode */
export const resourcesFolder = join(programFolder, '..', '..', 'resources')

/** LODE_CATALOGUE, LODE_MODELS_FOLDER, and LODE_FETCH_MODELS=no: mining fetches nothing by itself. */
export function modelEnvironment(): { catalogueFile?: string; modelsFolder?: string; fetchByItself: boolean } {
  const {
    LODE_CATALOGUE: catalogue = '',
    LODE_MODELS_FOLDER: folder = '',
    LODE_FETCH_MODELS: fetching = '',
  } = process.env
  return {
    ...(catalogue === '' ? {} : { catalogueFile: resolve(catalogue) }),
    ...(folder === '' ? {} : { modelsFolder: resolve(folder) }),
    fetchByItself: !/^(no|0|false|never)$/i.test(fetching),
  }
}
