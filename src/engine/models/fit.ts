/** Whether a model fits this computer's memory and disk, in words: before it is fetched and before it is loaded. */
import { statfs } from 'node:fs/promises'
import { freemem, totalmem } from 'node:os'
import type { Fit, FitVerdict } from '#shared/contract/models'
import { english, NO_BREAK_SPACE } from '#shared/domain/format'

/** What the runtime, the tokenizer and a step's working memory take besides weights and cache. */
const RUNTIME_BYTES = 250_000_000
/** Above this share of all memory other programs are pushed out; above the second nothing works any more. */
const TIGHT_SHARE = 0.6
const MOST_SHARE = 0.9
/** Free disk that should be left. */
const DISK_RESERVE_BYTES = 2_000_000_000

export interface Room {
  memoryBytes: number
  availableMemoryBytes: number
  /** where models lie; null where it cannot be told */
  diskFreeBytes: number | null
}

/** Memory alone. Containers count by their own limit. */
export function memoryRoom(): Room {
  const limit = process.constrainedMemory()
  const memoryBytes = limit > 0 && limit < totalmem() ? limit : totalmem()
  return {
    memoryBytes,
    availableMemoryBytes: Math.min(memoryBytes, process.availableMemory?.() ?? freemem()),
    diskFreeBytes: null,
  }
}

export async function measureRoom(folder: string): Promise<Room> {
  const free = await statfs(folder).catch(() => null)
  return { ...memoryRoom(), diskFreeBytes: free === null ? null : free.bavail * free.bsize }
}

/** Memory of a model that runs with `contextTokens`: weights, cache at that context, and the runtime. */
export function memoryNeeded(
  model: { weightsBytes: number; cacheBytesPerToken: number },
  contextTokens: number,
): number {
  return model.weightsBytes + model.cacheBytesPerToken * contextTokens + RUNTIME_BYTES
}

/** `diskBytes`: what the disk must still take; 0 for a model that is installed. */
export function fitOf(memoryBytes: number, diskBytes: number, room: Room): Fit {
  const memory = memoryVerdict(memoryBytes, room)
  const disk = diskBytes === 0 || room.diskFreeBytes === null ? 'fits' : diskVerdict(diskBytes, room.diskFreeBytes)
  const size = (bytes: number): string => english.bytes(bytes, NO_BREAK_SPACE)
  const words = [`${VERDICT[memory]}: ${size(memoryBytes)} of ${size(room.memoryBytes)} memory`]
  if (diskBytes > 0 && room.diskFreeBytes !== null)
    words.push(
      disk === 'fits'
        ? `${size(diskBytes)} of disk`
        : `${VERDICT[disk]}: ${size(diskBytes)} of disk where ${size(room.diskFreeBytes)} are free`,
    )
  return { memory, disk, words: words.join(', '), memoryBytes, diskBytes }
}

const VERDICT: Record<FitVerdict, string> = { fits: 'fits', tight: 'tight', no: 'does not fit' }

function memoryVerdict(bytes: number, room: Room): FitVerdict {
  if (bytes > room.memoryBytes * MOST_SHARE) return 'no'
  return bytes > room.memoryBytes * TIGHT_SHARE || bytes > room.availableMemoryBytes ? 'tight' : 'fits'
}

function diskVerdict(bytes: number, free: number): FitVerdict {
  if (bytes > free) return 'no'
  return free - bytes < DISK_RESERVE_BYTES ? 'tight' : 'fits'
}
