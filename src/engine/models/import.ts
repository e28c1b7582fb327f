/** What somebody gives to be added: a file that is made into a graph, or a folder that holds one. */
import { statSync, type Stats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { Failure } from '#shared/domain/errors'
import { MAX_MODEL_BYTES, scanFolder, startsLikePickle, type FolderFile } from './folder-scan'
import { refused } from './refusal'

export type Import =
  /**
   * GGUF or safetensors: `from` is what is converted, a file or a folder with the parts of one model; `sources` are all files
   * that the result depends on, named from `folder`
   */
  | { kind: 'made'; from: string; folder: string; sources: string[]; folderName: string }
  /** `graph`: the one that was named, relative to the folder */
  | { kind: 'folder'; files: Map<string, FolderFile>; folderName: string; graph?: string }

const WHAT_TO_GIVE = 'Give a GGUF, safetensors or ONNX file, or the folder that it is in.'

/** Throws a Failure `not-found` or `model-refused` that names the file. */
export async function whatIs(path: string): Promise<Import> {
  let absolute: string
  let found: Stats
  try {
    absolute = await realpath(path)
    found = await stat(absolute)
  } catch {
    throw new Failure('not-found', `there is no file or folder ${path}`, WHAT_TO_GIVE)
  }
  if (found.isDirectory()) return ofFolder(absolute)
  const name = basename(absolute)
  if (!found.isFile()) throw refused(name, 'is neither a file nor a folder', WHAT_TO_GIVE)
  if (found.size > MAX_MODEL_BYTES) throw refused(name, `has ${found.size} bytes`, 'Choose a smaller model.')
  if (/\.gguf$/i.test(name)) return ofGguf(absolute)
  if (/\.safetensors$/i.test(name)) {
    const folder = dirname(absolute)
    return {
      kind: 'made',
      from: absolute,
      folder,
      sources: [name, ...besideWeights(folder)],
      folderName: nameOf(absolute),
    }
  }
  if (/\.onnx$/i.test(name)) return ofGraph(absolute)
  if (/\.(pkl|pickle|pt|pth|ckpt|joblib)$/i.test(name) || (await startsLikePickle(absolute)))
    throw refused(
      name,
      'is a pickle, which can run programs when it is read',
      'Look for the same model as safetensors or GGUF.',
    )
  throw refused(name, "isn't a supported model", WHAT_TO_GIVE)
}

/** A folder with a graph is taken as it is; one with weights only is made into one. */
async function ofFolder(folder: string): Promise<Import> {
  const files = await scanFolder(folder)
  const folderName = basename(folder)
  const paths = [...files.keys()]
  if (files.has('card.json') || paths.some((path) => path.endsWith('.onnx')))
    return { kind: 'folder', files, folderName }
  const parts = paths.filter((path) => path.endsWith('.safetensors'))
  if (parts.length > 0)
    return { kind: 'made', from: folder, folder, sources: [...parts, ...besideWeights(folder)], folderName }
  const gguf = paths.filter((path) => /\.gguf$/i.test(path))
  const [only] = gguf
  if (only !== undefined && gguf.length === 1) return ofGguf(join(folder, only))
  if (gguf.length > 1) throw refused(folderName, `holds ${gguf.length} GGUF files`, 'Give the one that you want.')
  return { kind: 'folder', files, folderName }
}

function ofGguf(file: string): Import {
  return { kind: 'made', from: file, folder: dirname(file), sources: [basename(file)], folderName: nameOf(file) }
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

function besideWeights(folder: string): string[] {
  return BESIDE_WEIGHTS.filter((path) => statSync(join(folder, path), { throwIfNoEntry: false })?.isFile())
}

/** A graph needs the files beside it; exports keep it in a folder `onnx` below them. */
async function ofGraph(file: string): Promise<Import> {
  const beside = dirname(file)
  const folder = basename(beside) === 'onnx' ? dirname(beside) : beside
  const files = await scanFolder(folder)
  return { kind: 'folder', files, folderName: basename(folder), graph: relative(folder, file).split(sep).join('/') }
}

/** `model.safetensors` says nothing: its folder does. */
function nameOf(file: string): string {
  const name = basename(file).replace(/\.(gguf|safetensors)$/i, '')
  return name === 'model' ? basename(dirname(file)) : name
}
