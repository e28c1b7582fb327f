/** The memory of a model: roughly, on a device, before it is loaded; and on this computer when it runs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { ModelManifest } from '#shared/domain/manifest'
import type { InstalledModel } from '#shared/domain/model-stages'

/** The share of a device's memory for all models together: the rest is for proofs and for the person's programs. */
export const MODEL_MEMORY_SHARE = 0.6
/** Working memory of a run, besides the model's files. */
const WORKING_BYTES = 64 * 1024 ** 2

/** The least memory of a model in bytes: its weights as they are on disk, and working memory. */
export function modelMemoryBytes(manifest: Pick<ModelManifest, 'files'>): number {
  return manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) + WORKING_BYTES
}

/** Whether a model fits the share of a device's memory that models may take. */
export function fitsMemory(manifest: Pick<ModelManifest, 'files'>, deviceMemoryBytes: number): boolean {
  return modelMemoryBytes(manifest) <= deviceMemoryBytes * MODEL_MEMORY_SHARE
}

/** Keys and values are kept in float32. */
const BYTES_PER_VALUE = 4
const size = z.number().int().positive()
const decoderConfig = z.object({
  num_hidden_layers: size,
  num_key_value_heads: size.optional(),
  num_attention_heads: size,
  head_dim: size.optional(),
  hidden_size: size,
})

/** The weights are the graphs and their data files; the cache of a token follows from the model's shape. */
export function modelMemory({ manifest, folder }: InstalledModel): {
  weightsBytes: number
  cacheBytesPerToken: number
} {
  const weights = manifest.files.filter(({ path }) => !/\.(json|jinja|txt)$/.test(path))
  const weightsBytes = weights.reduce((sum, { bytes }) => sum + bytes, 0)
  return { weightsBytes, cacheBytesPerToken: manifest.kind === 'chat' ? cacheBytesPerToken(folder) : 0 }
}

/** Key and value of every layer and key-value head. 0 if the shape of the model is not known. */
function cacheBytesPerToken(folder: string): number {
  try {
    const config = decoderConfig.parse(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')))
    const heads = config.num_key_value_heads ?? config.num_attention_heads
    const width = config.head_dim ?? config.hidden_size / config.num_attention_heads
    return 2 * config.num_hidden_layers * heads * width * BYTES_PER_VALUE
  } catch {
    return 0
  }
}
