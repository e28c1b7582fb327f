/** Whether a model fits this computer's memory and disk, in words: before it is fetched and before it is loaded. */
import { statfs } from 'node:fs/promises'
import { freemem, totalmem } from 'node:os'
import type { Fit, FitVerdict } from '#shared/contract/models'
import type { CatalogueEntry } from '#shared/domain/catalogue'
import type { InstalledModel } from '#shared/domain/model-stages'
import { message } from '#shared/domain/messages'
import { modelMemory } from './model-memory'

/** Memory of the runtime, the tokenizer and a step's working memory, besides weights and cache. */
const RUNTIME_BYTES = 250_000_000
/** Above the first share of all memory other programs are swapped out; above the second the computer hardly works. */
const TIGHT_SHARE = 0.6
const MOST_SHARE = 0.9
/** Tokens of context that memory is computed with if the person chooses none: a long conversation. */
const USUAL_CONTEXT = 4096
/** Free disk that should be left. */
const DISK_RESERVE_BYTES = 2_000_000_000

export interface Capacity {
  memoryBytes: number
  availableMemoryBytes: number
  /** free bytes on the disk of the models; null: not known */
  diskFreeBytes: number | null
}

/** The computer's memory, without the disk. In a container its limit counts. */
export function memoryCapacity(): Capacity {
  const limit = process.constrainedMemory()
  const memoryBytes = limit > 0 && limit < totalmem() ? limit : totalmem()
  return {
    memoryBytes,
    availableMemoryBytes: Math.min(memoryBytes, process.availableMemory?.() ?? freemem()),
    diskFreeBytes: null,
  }
}

/** The computer's memory and the free disk space of `folder`. */
export async function measureCapacity(folder: string): Promise<Capacity> {
  const free = await statfs(folder).catch(() => null)
  return { ...memoryCapacity(), diskFreeBytes: free === null ? null : free.bavail * free.bsize }
}

/** Memory of a model that runs with `contextTokens`: weights, cache at that context, and the runtime. */
export function memoryNeeded(
  model: { weightsBytes: number; cacheBytesPerToken: number },
  contextTokens: number,
): number {
  return model.weightsBytes + model.cacheBytesPerToken * contextTokens + RUNTIME_BYTES
}

/** `diskBytes`: what the disk must still take; 0 for a model that is installed. */
export function fitOf(memoryBytes: number, diskBytes: number, capacity: Capacity): Fit {
  const memory = memoryVerdict(memoryBytes, capacity)
  const disk =
    diskBytes === 0 || capacity.diskFreeBytes === null ? 'fits' : diskVerdict(diskBytes, capacity.diskFreeBytes)
  const words = { memory, neededBytes: memoryBytes, allBytes: capacity.memoryBytes }
  const free = capacity.diskFreeBytes
  return {
    memory,
    disk,
    words:
      diskBytes === 0 || free === null
        ? message('fit-memory', words)
        : disk === 'fits'
          ? message('fit-memory-and-disk', { ...words, diskBytes })
          : message('fit-little-disk', { ...words, disk, diskBytes, freeBytes: free }),
    memoryBytes,
    diskBytes,
  }
}

/** At the usual context, or the model's own where that is smaller. */
export function fitOfInstalled(model: InstalledModel, capacity: Capacity): Fit {
  return fitOf(memoryNeeded(modelMemory(model), Math.min(model.manifest.context, USUAL_CONTEXT)), 0, capacity)
}

/** `context`: tokens, null for the usual ones; `bytesDone`: bytes that are fetched already. `chosenContext`: the tokens that the fit is computed with. */
export function fitOfEntry(
  entry: CatalogueEntry,
  context: number | null,
  capacity: Capacity,
  bytesDone: number,
): { chosenContext: number; fit: Fit } {
  const chosenContext = Math.min(entry.context, context ?? USUAL_CONTEXT)
  // The fetched files and the graph that is made from them are on the disk together for a while.
  const made = entry.form === 'onnx' ? 0 : entry.memory.weightsBytes
  const diskBytes = Math.max(0, entry.bytes - bytesDone) + made
  return { chosenContext, fit: fitOf(memoryNeeded(entry.memory, chosenContext), diskBytes, capacity) }
}

function memoryVerdict(bytes: number, capacity: Capacity): FitVerdict {
  if (bytes > capacity.memoryBytes * MOST_SHARE) return 'no'
  return bytes > capacity.memoryBytes * TIGHT_SHARE || bytes > capacity.availableMemoryBytes ? 'tight' : 'fits'
}

function diskVerdict(bytes: number, free: number): FitVerdict {
  if (bytes > free) return 'no'
  return free - bytes < DISK_RESERVE_BYTES ? 'tight' : 'fits'
}
