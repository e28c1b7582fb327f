/** Files that a person chose. The window passes their paths to the engine; a page sends the files themselves to the engine's server. */
import type { Params } from '#shared/contract/index'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { sessionToken } from '../../data/connect'

/** A file with its name: `model/onnx/model.onnx` out of a folder, the name alone otherwise. */
export interface ChosenFile {
  file: File
  name: string
}

/** More files than any model has. */
const MAX_FILES = 2000

/** The files that were chosen in the system's dialog; of a folder all files in it. */
export function chosenFiles(list: FileList | null): Promise<ChosenFile[]> {
  return Promise.resolve(
    [...(list ?? [])].map((file) => ({
      file,
      name: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath,
    })),
  )
}

/** The files that were dropped. Rejects with a Failure where a folder cannot be read or holds too many files. */
export async function droppedFiles(transfer: DataTransfer): Promise<ChosenFile[]> {
  // The browser empties both lists when the event is over.
  const files = [...transfer.files]
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? [])
  const plain = files.map((file) => ({ file, name: file.name }))
  // The engine reads a folder itself where its path is known.
  if (files.some((file) => pathOf(file) !== '') || entries.every((entry) => entry.isFile)) return plain
  const found: ChosenFile[] = []
  for (const entry of entries) await readEntry(entry, found)
  return found
}

async function readEntry(entry: FileSystemEntry, found: ChosenFile[]): Promise<void> {
  const name = entry.fullPath.replace(/^\//, '')
  if (name.split('/').some((part) => part.startsWith('.'))) return
  if (found.length >= MAX_FILES)
    throw new Failure('invalid-input', message('screen-folder-too-full', { most: MAX_FILES }))
  if (entry.isFile) {
    found.push({ file: await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail)), name })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // The reader gives a hundred entries at a time, and none after the last.
    const part = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail))
    if (part.length === 0) return
    for (const child of part) await readEntry(child, found)
  }
}

/** `onShare` is called with the share of the bytes that was sent, 0 to 1. Rejects with a Failure. */
export async function takeFiles(
  files: readonly ChosenFile[],
  onShare: (share: number) => void,
): Promise<Params<'models.add'>> {
  const [first] = files
  if (!first) throw new Failure('invalid-input', message('screen-nothing-chosen'))
  const path = pathOf(first.file)
  if (path !== '')
    return { path: files.length === 1 && first.name === first.file.name ? path : folderOf(path, first.name) }
  const token = sessionToken()
  if (token === null) throw new Failure('unavailable', message('screen-engine-not-reached'))
  const upload = crypto.randomUUID()
  const all = files.reduce((sum, { file }) => sum + file.size, 0)
  let done = 0
  for (const { file, name } of gathered(files)) {
    await send(upload, file, name, token, (bytes) => onShare(all === 0 ? 1 : (done + bytes) / all))
    done += file.size
  }
  return { upload }
}

/** Puts files without a folder into one. The model is named after the folder, so the folder is named after the weights where these have a name of their own. */
function gathered(files: readonly ChosenFile[]): readonly ChosenFile[] {
  if (files.length === 1 || files.every(({ name }) => name.includes('/'))) return files
  const weights = files.find(({ name }) => /\.(onnx|safetensors|gguf)$/i.test(name) && !/^model\b/i.test(name))
  const folder =
    weights?.name.replace(/\.\w+$/, '') ?? `model-${new Date().toISOString().slice(0, 16).replaceAll(/\D/g, '-')}`
  return files.map(({ file, name }) => ({ file, name: `${folder}/${name}` }))
}

/** The file's path: the preload's answer, or the property that older versions of Electron put on the file. Empty in a page. */
function pathOf(file: File): string {
  return (file as { path?: string }).path ?? window.lode?.pathOf(file) ?? ''
}

/** The folder that was chosen, from the path of one of its files; of several files the folder that they lie in. */
function folderOf(path: string, inside: string): string {
  const depth = Math.max(1, inside.split('/').length - 1)
  return path
    .split(/[\\/]/)
    .slice(0, -depth)
    .join(path.includes('\\') ? '\\' : '/')
}

/** Sends one file. Characters that the store does not accept in names become underscores. */
function send(
  upload: string,
  file: File,
  name: string,
  token: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const place = name
    .split('/')
    .map((part) => part.replaceAll(/[^\w.@+-]/g, '_'))
    .join('/')
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', `/upload/${upload}/${place}`)
    request.setRequestHeader('authorization', `Bearer ${token}`)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.addEventListener('progress', (event) => onBytes(event.loaded))
    request.addEventListener('load', () => {
      if (request.status === 204) resolve()
      else reject(refused(file.name, request.status))
    })
    request.addEventListener('error', () =>
      reject(new Failure('unavailable', message('screen-file-not-sent', { file: file.name }))),
    )
    request.send(file)
  })
}

function refused(name: string, status: number): Failure {
  return status === 507
    ? new Failure('data-folder', message('screen-upload-disk-full', { file: name }))
    : new Failure('invalid-input', message('screen-upload-refused', { file: name, status: String(status) }))
}
