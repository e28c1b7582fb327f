/** What somebody gives to be added: a file that is made into a graph, or a folder that holds one. */
import type { Stats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { Failure } from '#shared/domain/errors'
import { MAX_MODEL_BYTES, scanFolder, startsLikePickle, type FolderFile } from './folder-scan'
import { refused } from './refusal'

export type Import =
  /** GGUF or safetensors: `from` is what is converted, a file or a folder with the parts of one model */
  | { kind: 'made'; from: string; weights: string[]; folderName: string }
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
  if (/\.(gguf|safetensors)$/i.test(name))
    return { kind: 'made', from: absolute, weights: [absolute], folderName: nameOf(absolute) }
  if (/\.onnx$/i.test(name)) return ofGraph(absolute)
  if (/\.(pkl|pickle|pt|pth|ckpt|joblib)$/i.test(name) || (await startsLikePickle(absolute)))
    throw refused(
      name,
      'is a pickle, which can run programs when it is read',
      'Look for the same model as safetensors or GGUF.',
    )
  throw refused(name, 'is no model that Lode knows', WHAT_TO_GIVE)
}

/** A folder with a graph is taken as it is; one with weights only is made into one. */
async function ofFolder(folder: string): Promise<Import> {
  const files = await scanFolder(folder)
  const folderName = basename(folder)
  const paths = [...files.keys()]
  if (files.has('card.json') || paths.some((path) => path.endsWith('.onnx')))
    return { kind: 'folder', files, folderName }
  const parts = paths.filter((path) => path.endsWith('.safetensors')).map((path) => join(folder, path))
  if (parts.length > 0) return { kind: 'made', from: folder, weights: parts, folderName }
  const gguf = paths.filter((path) => /\.gguf$/i.test(path))
  const [only] = gguf
  if (only !== undefined && gguf.length === 1)
    return { kind: 'made', from: join(folder, only), weights: [join(folder, only)], folderName: nameOf(only) }
  if (gguf.length > 1) throw refused(folderName, `holds ${gguf.length} GGUF files`, 'Give the one that you want.')
  return { kind: 'folder', files, folderName }
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
