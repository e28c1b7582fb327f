/** Lists the files of a folder that a person wants to add, before any is opened: only plain files inside it count. */
import type { Stats } from 'node:fs'
import { open, readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { refused } from './refusal'

/** No model Lode can run is larger; protobuf itself ends at 2 GiB. */
export const MAX_GRAPH_BYTES = 2 * 1024 ** 3 - 1
export const MAX_TEXT_FILE_BYTES = 256 * 1024 ** 2
export const MAX_MODEL_BYTES = 64 * 1024 ** 3
const MAX_ENTRIES = 2000
const MAX_DEPTH = 6

export interface FolderFile {
  /** relative to the folder, forward slashes */
  path: string
  /** absolute, links followed */
  source: string
  bytes: number
}

/** Every file of a folder by its relative path; hidden ones are left out. Throws a Failure for pickles and for links that leave the folder. */
export async function scanFolder(folder: string): Promise<Map<string, FolderFile>> {
  const root = await folderRoot(folder)
  const files = new Map<string, FolderFile>()
  const visit = async (directory: string, depth: number): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue
      const absolute = join(directory, entry.name)
      const path = relative(root, absolute).split(sep).join('/')
      if (files.size >= MAX_ENTRIES || depth > MAX_DEPTH) {
        throw refused(message('model-folder-too-full', { file: path }))
      }
      if (entry.isDirectory()) {
        await visit(absolute, depth + 1)
        continue
      }
      const file = {
        path,
        ...(entry.isSymbolicLink() ? await followLink(root, absolute, path) : await plainFile(absolute, path)),
      }
      await refusePickle(file)
      files.set(path, file)
    }
  }
  await visit(root, 0)
  return files
}

async function folderRoot(folder: string): Promise<string> {
  let root: string
  let found: Stats
  try {
    root = await realpath(folder)
    found = await stat(root)
  } catch {
    throw new Failure('not-found', message('model-no-folder', { folder }))
  }
  if (!found.isDirectory()) {
    throw new Failure('model-refused', message('model-folder-is-file', { folder }))
  }
  return root
}

async function followLink(root: string, absolute: string, path: string): Promise<Omit<FolderFile, 'path'>> {
  let target: string
  try {
    target = await realpath(absolute)
  } catch {
    throw refused(message('model-link-to-nothing', { file: path }))
  }
  if (!target.startsWith(root + sep)) throw refused(message('model-link-leaves-folder', { file: path }))
  return plainFile(target, path)
}

async function plainFile(source: string, path: string): Promise<Omit<FolderFile, 'path'>> {
  const found = await stat(source)
  if (!found.isFile()) throw refused(message('model-entry-strange', { file: path }))
  return { source, bytes: found.size }
}

const PICKLE_NAMES = /\.(pkl|pickle|pt|pth|ckpt|joblib)$/i

/** A pickle is a program: reading it can do anything. PyTorch's .bin files are pickles, bare or inside a ZIP archive. */
async function refusePickle(file: FolderFile): Promise<void> {
  const named = PICKLE_NAMES.test(file.path)
  if (!named && !(/\.bin$/i.test(file.path) && (await startsLikePickle(file.source)))) return
  throw refused(message('model-pickle-in-folder', { file: file.path }))
}

/** Whether a file begins as a pickle, or as a ZIP archive, which may contain pickles. Rejects with the error of the disk. */
export async function startsLikePickle(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const start = new Uint8Array(4)
    await file.read(start, 0, 4, 0)
    const protocol = start[0] === 0x80 && (start[1] ?? 0) >= 2 && (start[1] ?? 0) <= 5
    const archive = start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4
    return protocol || archive
  } finally {
    await file.close()
  }
}

/** Throws a Failure when a file is empty or larger than any model's could be. */
export function checkSize(file: FolderFile): void {
  if (file.bytes === 0) throw refused(message('model-file-empty', { file: file.path }))
  const limit = file.path.endsWith('.onnx')
    ? MAX_GRAPH_BYTES
    : /\.(json|jinja|txt)$/.test(file.path)
      ? MAX_TEXT_FILE_BYTES
      : MAX_MODEL_BYTES
  if (file.bytes > limit) {
    throw refused(message('model-too-large-file', { file: file.path, bytes: file.bytes, most: limit }))
  }
}
