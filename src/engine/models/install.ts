/** Puts files into the store so that a model is there completely or not at all. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { ModelFile } from '#shared/domain/manifest'
import type { FolderFile } from './folder-scan'
import { refused } from './refusal'

/** Prefix of folders with unfinished work; no model id begins with it. */
export const UNFINISHED = '.unfinished-'

/** prefix of an old model's folder while the new one is moved into its place */
const REPLACED = `${UNFINISHED}replaced-`

/** Removes unfinished folders after a crash. A model whose replacement did not finish is restored. */
export async function removeUnfinished(store: string): Promise<void> {
  for (const name of await readdir(store)) {
    if (!name.startsWith(UNFINISHED)) continue
    const place = name.startsWith(REPLACED) ? join(store, name.slice(REPLACED.length)) : null
    if (place !== null && !existsSync(place)) await rename(join(store, name), place)
    else await rm(join(store, name), { recursive: true, force: true })
  }
}

/** Copies files into a new folder, hashing what is written; every byte is on the disk when it returns. */
export async function copyFiles(files: readonly FolderFile[], target: string): Promise<ModelFile[]> {
  await rm(target, { recursive: true, force: true })
  await mkdir(target, { recursive: true })
  const copied: ModelFile[] = []
  for (const file of files) copied.push(await copyFile(file, join(target, file.path)))
  return copied
}

/** As `copyFiles`, for files that Lode fetched or made: they are moved, so that they need the disk only once. */
export async function moveFiles(files: readonly FolderFile[], target: string): Promise<ModelFile[]> {
  await rm(target, { recursive: true, force: true })
  await mkdir(target, { recursive: true })
  const moved: ModelFile[] = []
  for (const file of files) {
    const to = join(target, file.path)
    await mkdir(dirname(to), { recursive: true })
    await rename(file.source, to)
    const sha256 = await hashFile(to)
    if (sha256 === undefined) throw refused(message('model-not-read-disk', { file: file.path }))
    await withFile(to, 'r+', (opened) => opened.sync())
    moved.push({ path: file.path, bytes: file.bytes, sha256 })
  }
  return moved
}

/** Writes a small file and flushes it. */
export async function writeDurably(path: string, text: string): Promise<void> {
  await withFile(path, 'wx', async (file) => {
    await file.writeFile(text)
    await file.sync()
  })
}

/** Puts a finished folder in its place, instead of an older one if there is one. */
export async function moveIntoPlace(from: string, to: string, store: string): Promise<void> {
  await syncFolder(from)
  const aside = join(store, `${REPLACED}${basename(to)}`)
  const isReplaced = await moveAside(to, aside)
  await rename(from, to)
  await syncFolder(store)
  if (isReplaced) await rm(aside, { recursive: true, force: true })
}

/** Removes a model's folder: it is renamed first, so that the model is gone at once, also if the removal is interrupted. */
export async function takeAway(folder: string, store: string): Promise<void> {
  const aside = join(store, `${UNFINISHED}removed`)
  if (!(await moveAside(folder, aside))) return
  await syncFolder(store)
  await rm(aside, { recursive: true, force: true })
}

/** False where there is nothing to move. */
async function moveAside(folder: string, aside: string): Promise<boolean> {
  await rm(aside, { recursive: true, force: true })
  try {
    await rename(folder, aside)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** SHA-256 of a file, hex; undefined when it cannot be read. */
export async function hashFile(path: string): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const part of createReadStream(path, { highWaterMark: 1024 ** 2 })) hash.update(part as Buffer)
  } catch {
    return undefined
  }
  return hash.digest('hex')
}

/** Sizes and hashes of some files of a folder. Throws a Failure for one that cannot be read. */
export async function hashFiles(folder: string, paths: readonly string[]): Promise<ModelFile[]> {
  const files: ModelFile[] = []
  for (const path of paths) {
    const sha256 = await hashFile(join(folder, path))
    if (sha256 === undefined) throw refused(message('model-not-read', { file: path }))
    files.push({ path, bytes: (await stat(join(folder, path))).size, sha256 })
  }
  return files
}

/** Turns the errors of a full or protected disk into a Failure; returns any other error unchanged. */
export function diskFailure(error: unknown, store: string): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure('data-folder', message('model-store-full', { folder: store }))
  }
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code ?? '')) {
    return new Failure(
      'data-folder',
      message('model-store-not-usable', { folder: (error as NodeJS.ErrnoException).path ?? store }),
    )
  }
  return error
}

async function copyFile(file: FolderFile, target: string): Promise<ModelFile> {
  await mkdir(dirname(target), { recursive: true })
  const hash = createHash('sha256')
  let bytes = 0
  await withFile(target, 'wx', async (output) => {
    for await (const part of createReadStream(file.source, { highWaterMark: 1024 ** 2 })) {
      const chunk = part as Buffer
      bytes += chunk.length
      if (bytes > file.bytes) break
      hash.update(chunk)
      await output.writeFile(chunk)
    }
    await output.sync()
  })
  if (bytes !== file.bytes) throw refused(message('model-changed-while-copied', { file: file.path }))
  return { path: file.path, bytes, sha256: hash.digest('hex') }
}

async function withFile(path: string, flags: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags)
  try {
    await work(file)
  } finally {
    await file.close()
  }
}

/** Makes renames durable. Windows has no such call for folders, and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
