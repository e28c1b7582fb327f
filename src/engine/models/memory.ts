/** What an installed model takes in memory when it runs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { ModelLocation } from '#shared/ipc/worker'

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

/** Weights are what the graphs and their data files hold; the cache of a token follows from the model's shape. */
export function modelMemory({ card, folder }: ModelLocation): { weightsBytes: number; cacheBytesPerToken: number } {
  const weights = card.files.filter(({ path }) => !/\.(json|jinja|txt)$/.test(path))
  const weightsBytes = weights.reduce((sum, { bytes }) => sum + bytes, 0)
  return { weightsBytes, cacheBytesPerToken: card.kind === 'chat' ? cacheBytesPerToken(folder) : 0 }
}

/** Key and value of every layer and key-value head. 0 where the model does not say its shape. */
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
