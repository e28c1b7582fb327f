/** Files that a person chose: by their path where the window knows it, else sent to the engine's own server. */
import type { Params } from '#shared/contract/index'
import { Failure } from '#shared/domain/errors'
import { sessionToken } from '../../data/connect'

/** `onShare`: 0 to 1 of what is sent. Rejects with a Failure. */
export async function takeFiles(
  files: readonly File[],
  onShare: (share: number) => void,
): Promise<Params<'models.add'>> {
  const [first] = files
  if (!first) throw new Failure('invalid-input', 'nothing was chosen', 'Choose a file.')
  const path = pathOf(first)
  if (path !== '')
    return { path: files.length === 1 && relative(first) === first.name ? path : folderOf(path, relative(first)) }
  const token = sessionToken()
  if (token === null) throw new Failure('unavailable', 'the engine cannot be reached', 'Write the path instead.')
  const upload = crypto.randomUUID()
  const all = files.reduce((sum, file) => sum + file.size, 0)
  let done = 0
  for (const file of files) {
    await send(upload, file, token, (bytes) => onShare(all === 0 ? 1 : (done + bytes) / all))
    done += file.size
  }
  return { upload }
}

/** Older versions of Electron write it into the file itself; a page has none. */
function pathOf(file: File): string {
  return (file as { path?: string }).path ?? window.lode?.pathOf(file) ?? ''
}

/** `model/onnx/model.onnx` of a chosen folder, the name alone of a chosen file. */
function relative(file: File): string {
  return file.webkitRelativePath === '' ? file.name : file.webkitRelativePath
}

/** The folder that was chosen, from the path of one of its files; of several files the folder that they lie in. */
function folderOf(path: string, inside: string): string {
  const depth = Math.max(1, inside.split('/').length - 1)
  return path
    .split(/[\\/]/)
    .slice(0, -depth)
    .join(path.includes('\\') ? '\\' : '/')
}

/** Only names that the store takes travel; others could not be used anyway. */
function send(upload: string, file: File, token: string, onBytes: (bytes: number) => void): Promise<void> {
  const name = relative(file)
    .split('/')
    .map((part) => part.replaceAll(/[^\w.@+-]/g, '_'))
    .join('/')
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', `/upload/${upload}/${name}`)
    request.setRequestHeader('authorization', `Bearer ${token}`)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.addEventListener('progress', (event) => onBytes(event.loaded))
    request.addEventListener('load', () => {
      if (request.status === 204) resolve()
      else reject(refused(file.name, request.status))
    })
    request.addEventListener('error', () =>
      reject(
        new Failure('unavailable', `${file.name} could not be sent to the engine`, 'Try again, or write its path.'),
      ),
    )
    request.send(file)
  })
}

function refused(name: string, status: number): Failure {
  return status === 507
    ? new Failure('data-folder', `${name} was not taken: the disk is full`, 'Free some space, then try again.')
    : new Failure('invalid-input', `${name} was not taken (answer ${status})`, 'Write its path instead.')
}
