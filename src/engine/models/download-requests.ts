/** Requested downloads on the disk: `.downloads/ID/` in the store holds the request and the fetched bytes. */
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { hex64 } from '#shared/domain/bytes'
import { failureSchema } from '#shared/domain/errors'

const request = z.object({
  state: z.enum(['wanted', 'paused', 'failed']),
  failure: failureSchema.nullable(),
  /** by path, for files whose hash Lode does not know: the hash in the hub's first answer, which later answers do not change */
  hubHashes: z.record(z.string(), hex64),
})
export type Request = z.infer<typeof request>

export const NEW_REQUEST: Request = { state: 'wanted', failure: null, hubHashes: {} }

export interface Requests {
  /** The folder of a download. */
  folder(id: string): string
  /** Every request by id. One that cannot be read counts as wanted. */
  all(): Promise<Map<string, Request>>
  /** Writes a request to the disk. */
  save(id: string, request: Request): Promise<void>
  /** Removes the request with all its files, and the folder of all requests with the last of them. */
  remove(id: string): Promise<void>
  /** Bytes of these files on the disk, complete or partial. */
  bytesOf(id: string, paths: readonly string[]): Promise<number>
}

export function openRequests(store: string): Requests {
  const root = join(store, '.downloads')
  const folder = (id: string): string => join(root, id)
  return {
    folder,
    all: async () => {
      const found = new Map<string, Request>()
      for (const id of await readdir(root).catch(() => [])) found.set(id, await read(join(root, id, 'request.json')))
      return found
    },
    save: async (id, value) => {
      await mkdir(folder(id), { recursive: true })
      const file = join(folder(id), 'request.json')
      await writeFile(`${file}.new`, JSON.stringify(value))
      await rename(`${file}.new`, file)
    },
    remove: async (id) => {
      await rm(folder(id), { recursive: true, force: true })
      await rmdir(root).catch(() => undefined)
    },
    bytesOf: async (id, paths) => {
      let sum = 0
      for (const path of paths) {
        const sizes = ['files', 'parts'].map((part) => stat(join(folder(id), part, path)).catch(() => null))
        const [whole, begun] = await Promise.all(sizes)
        sum += whole?.size ?? begun?.size ?? 0
      }
      return sum
    },
  }
}

async function read(file: string): Promise<Request> {
  try {
    return request.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return NEW_REQUEST
  }
}
