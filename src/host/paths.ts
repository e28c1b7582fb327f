/** Paths: the data folder by the platform's convention; programs and page beside this program. */
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
/** model manifests, dictionaries and tables that come with Lode */
export const resourcesFolder = join(programFolder, '..', '..', 'resources')
