/** What a model takes of a device's memory, roughly, before it is loaded. */
import type { ModelCard } from '#shared/domain/card'

/** Of the device's memory, for all models together: the rest is for proofs and for the person's programs. */
export const MODEL_MEMORY_SHARE = 0.6
/** Beside its files: what a run needs while it computes. */
const WORKING_BYTES = 64 * 1024 ** 2

/** Bytes, at least: its weights as they are on disk, and room to compute. */
export function modelMemoryBytes(card: Pick<ModelCard, 'files'>): number {
  return card.files.reduce((sum, { bytes }) => sum + bytes, 0) + WORKING_BYTES
}

export function fitsMemory(card: Pick<ModelCard, 'files'>, deviceMemoryBytes: number): boolean {
  return modelMemoryBytes(card) <= deviceMemoryBytes * MODEL_MEMORY_SHARE
}
