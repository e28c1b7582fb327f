/** The settings of models in the environment. */
import { resolve } from 'node:path'

/** LODE_CATALOGUE, LODE_MODELS_FOLDER (absolute when returned), and LODE_FETCH_MODELS=no: mining fetches nothing by itself. */
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
