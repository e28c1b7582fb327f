/**
 * A model as somebody gave it: a file or folder of a person's, or what a download fetched. Its form is determined here,
 * once, and passed on with it; later readers rely on the form and check the content.
 */
import { statSync, type Stats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import type { ModelManifest } from '#shared/domain/manifest'
import type { CatalogueEntry } from '#shared/domain/catalogue'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { ModelConversion } from '#shared/domain/model-stages'
import type { FetchedFile } from './download-file'
import { MAX_MODEL_BYTES, scanFolder, startsLikePickle, type FolderFile } from './folder-scan'
import { hashFiles } from './install'
import { refused } from './refusal'

/** What is known of a model besides its files. */
export interface Provenance {
  /** of the folder that it lay in, or of its file without the ending: its name where there is no other */
  folderName: string
  name?: string
  licence?: string
  source?: string
  origin?: NonNullable<ModelManifest['origin']>
  agreement?: NonNullable<ModelManifest['agreement']>
}

/** A folder with a graph, which is taken as it is. */
export interface GivenGraph {
  form: 'onnx'
  files: ReadonlyMap<string, FolderFile>
  /** the graph that was named, relative to the folder; absent: the manifest or the usual names decide */
  graph?: string
  /** fetched or made by Lode: the files are moved, not copied */
  isOwn: boolean
  provenance: Provenance
}

/** Weights that a graph is made from. */
export interface GivenWeights extends Pick<ModelConversion, 'form' | 'path'> {
  /** `origin.files`: all files that the graph depends on */
  provenance: Provenance & Required<Pick<Provenance, 'origin'>>
}

export type GivenModel = GivenGraph | GivenWeights

/** What a person gave. Throws a Failure `not-found` or `model-refused` that names the file. */
export async function givenByPath(path: string): Promise<GivenModel> {
  let absolute: string
  let found: Stats
  try {
    absolute = await realpath(path)
    found = await stat(absolute)
  } catch {
    throw new Failure('not-found', message('model-nothing-there', { path }))
  }
  if (found.isDirectory()) return givenFolder(absolute)
  const name = basename(absolute)
  if (!found.isFile()) throw refused(message('model-neither-file-nor-folder', { file: name }))
  if (found.size > MAX_MODEL_BYTES) throw refused(message('model-too-large', { file: name, bytes: found.size }))
  if (/\.gguf$/i.test(name)) return givenGguf(absolute)
  if (/\.safetensors$/i.test(name)) return givenSafetensors(absolute, dirname(absolute), [name], nameOf(absolute))
  if (/\.onnx$/i.test(name)) return givenGraph(absolute)
  if (/\.(pkl|pickle|pt|pth|ckpt|joblib)$/i.test(name) || (await startsLikePickle(absolute)))
    throw refused(message('model-pickle', { file: name }))
  throw refused(message('model-not-supported', { file: name }))
}

/** What a download fetched into `folder`: the catalogue says its form. */
export async function givenByDownload(
  entry: CatalogueEntry,
  folder: string,
  files: readonly FetchedFile[],
): Promise<GivenModel> {
  const provenance = {
    folderName: entry.id,
    name: entry.name,
    licence: entry.licence.name,
    source: `${entry.name} from ${[...new Set(files.map(({ source }) => source))].join(', ')}`,
    origin: {
      files: files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
      hash: files.some(({ hash }) => hash === 'hub') ? ('hub' as const) : ('pinned' as const),
    },
    ...(entry.agreement === undefined ? {} : { agreement: entry.agreement }),
  }
  if (entry.form === 'onnx') return { form: 'onnx', files: await scanFolder(folder), isOwn: true, provenance }
  return { form: entry.form, path: join(folder, entry.files[0]?.path ?? ''), provenance }
}

const WHOLE_WEIGHTS = ['model.safetensors', 'model.safetensors.index.json']

/** A folder with a graph is taken as it is; one with weights only is made into one. */
async function givenFolder(folder: string): Promise<GivenModel> {
  const files = await scanFolder(folder)
  const folderName = basename(folder)
  const paths = [...files.keys()]
  const asItIs: GivenGraph = { form: 'onnx', files, isOwn: false, provenance: { folderName } }
  if (files.has('card.json') || paths.some((path) => path.endsWith('.onnx'))) return asItIs
  const parts = paths.filter((path) => path.endsWith('.safetensors'))
  if (WHOLE_WEIGHTS.some((path) => files.has(path))) return givenSafetensors(folder, folder, parts, folderName)
  const gguf = paths.filter((path) => /\.gguf$/i.test(path))
  const [only] = gguf
  if (only !== undefined && gguf.length === 1) return givenGguf(join(folder, only))
  if (gguf.length > 1) throw refused(message('model-several-gguf', { file: folderName, count: gguf.length }))
  if (parts.length > 0) throw refused(message('model-folder-without-model'))
  return asItIs
}

function givenGguf(file: string): Promise<GivenWeights> {
  return givenWeights({ form: 'gguf', path: file }, dirname(file), [basename(file)], nameOf(file))
}

/** What a model of safetensors takes from its folder besides the weights. */
const BESIDE_WEIGHTS = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  '1_Pooling/config.json',
  'generation_config.json',
  'special_tokens_map.json',
  'sentence_bert_config.json',
  'model.safetensors.index.json',
  'README.md',
] as const

function givenSafetensors(
  path: string,
  folder: string,
  weights: readonly string[],
  folderName: string,
): Promise<GivenWeights> {
  const beside = BESIDE_WEIGHTS.filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile())
  return givenWeights({ form: 'safetensors', path }, folder, [...weights, ...beside], folderName)
}

async function givenWeights(
  given: Pick<ModelConversion, 'form' | 'path'>,
  folder: string,
  files: readonly string[],
  folderName: string,
): Promise<GivenWeights> {
  const origin = { files: await hashFiles(folder, files), hash: 'computed' as const }
  return { ...given, provenance: { folderName, source: `made from ${basename(given.path)}`, origin } }
}

/** A graph needs the files beside it; many exports keep the graph in a folder `onnx` below them. */
async function givenGraph(file: string): Promise<GivenGraph> {
  const beside = dirname(file)
  const folder = basename(beside) === 'onnx' ? dirname(beside) : beside
  const graph = relative(folder, file).split(sep).join('/')
  const provenance = { folderName: basename(folder) }
  return { form: 'onnx', files: await scanFolder(folder), graph, isOwn: false, provenance }
}

/** A name for the model: `model.safetensors` is no name, so its folder's name is used. */
function nameOf(file: string): string {
  const name = basename(file).replace(/\.(gguf|safetensors)$/i, '')
  return name === 'model' ? basename(dirname(file)) : name
}
