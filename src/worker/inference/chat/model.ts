/** A chat model in memory: graph, tokenizer, template, and the names and shapes of its key-value cache. */
import { basename } from 'node:path'
import type { InstalledModel } from '#shared/domain/model-stages'
import { message } from '#shared/domain/messages'
import { damaged, graphPath, headSize, readModelConfig, type ModelConfig } from '../model-files'
import { openGraph, tensorShape, type LoadedGraph } from '../sessions'
import { loadChatText, type ChatText } from './text'
import { writesInPlace, type CacheInput } from './sequence-cache'
import type { KvCacheShape } from './kv-cache'

export interface ChatModel extends LoadedGraph, ChatText {
  /** the cache tensors of a graph that computes one request a run; empty where `batchedCache` is set */
  cacheInputs: CacheInput[]
  /** the graph writes into the cache it is given (sequence-cache.ts) */
  inPlace: boolean
  /** the shape of the cache of a graph that computes many requests in one run; null: one request a run */
  batchedCache: KvCacheShape | null
  /** the prefill chunk size: prompt tokens of a small chunk, half of a large one; a chunk takes a fraction of a second */
  prefillChunkTokens: number
}

/** Inputs that are no cache tensors; decoder.ts fills them. */
export const KNOWN_INPUTS = [
  'input_ids',
  'attention_mask',
  'position_ids',
  'attention_bias',
  'use_cache_branch',
  'num_logits_to_keep',
  'logits_to_keep',
] as const

/** Loads the model. Throws a Failure `model-refused` that names the file at fault. */
export async function loadChatModel(model: InstalledModel, threads: number): Promise<ChatModel> {
  const config = await readModelConfig(model)
  const text = await loadChatText(model)
  const path = graphPath(model)
  const graph = await openGraph(path, threads, { allowSpinning: true })
  try {
    const batchedCache = batchedCacheShape(graph, config)
    const cacheInputs = batchedCache === null ? findCacheInputs(graph, config, basename(path)) : []
    return {
      ...graph,
      ...text,
      cacheInputs,
      inPlace: batchedCache === null && (await writesInPlace(path, cacheInputs)),
      batchedCache,
      prefillChunkTokens: prefillChunkTokens(model),
    }
  } catch (error) {
    await graph.session.release()
    throw error
  }
}

/** The shape of the cache of a graph that Lode built (convert/graphs/attention.ts), by the names and shapes of its inputs; null for other graphs. */
function batchedCacheShape({ session }: LoadedGraph, config: ModelConfig): KvCacheShape | null {
  const { inputNames, outputNames, inputMetadata } = session
  if (!['logits', 'new_keys', 'new_values'].every((name) => outputNames.includes(name))) return null
  const first = tensorShape(inputMetadata, 'past_key_values.0.key')
  if (first?.type !== 'float32' || first.shape.length !== 5) return null
  const [, heads, , , size] = first.shape
  if (typeof heads !== 'number' || typeof size !== 'number') return null
  const keys = inputNames.filter((name) => /^past_key_values\.\d+\.key$/.test(name))
  const inputs = keys.map((_, layer) => ({
    key: `past_key_values.${layer}.key`,
    value: `past_key_values.${layer}.value`,
  }))
  return { inputs, heads, group: (config.num_attention_heads ?? heads) / heads, headSize: size }
}

function findCacheInputs({ session }: LoadedGraph, config: ModelConfig, file: string): CacheInput[] {
  const slots: CacheInput[] = []
  for (const past of session.inputNames) {
    if ((KNOWN_INPUTS as readonly string[]).includes(past)) continue
    const present = past.replace(/^past_key_values\./, 'present.')
    const value = tensorShape(session.inputMetadata, past)
    if (present === past || value?.shape.length !== 4 || !session.outputNames.includes(present)) {
      throw damaged(message('run-unknown-input', { file, input: past }))
    }
    const [, heads, , size] = value.shape
    const configured = config.num_key_value_heads ?? config.num_attention_heads
    const cached = typeof heads === 'number' ? heads : configured
    if (cached === undefined) throw damaged(message('run-no-key-value-heads', { file: 'config.json' }))
    slots.push({
      past,
      present,
      type: value.type,
      heads: cached,
      headSize: typeof size === 'number' ? size : headSize(config),
    })
  }
  if (!session.outputNames.includes('logits') || !session.inputNames.includes('input_ids') || slots.length === 0) {
    throw damaged(message('run-no-decoder', { file }))
  }
  return slots
}

/**
 * A power of two from 8 to 256 with about 8 × 10⁹ MACs a run at most. A run cannot be interrupted, so the chunk size bounds
 * how late a cancelled job ends, and how long the next tokens of other requests wait for a chunk of a prompt. It depends on
 * the manifest only, so that the same prompt is always computed in the same way.
 */
function prefillChunkTokens(model: InstalledModel): number {
  const formula = model.manifest.macFormula
  if (formula.kind !== 'chat' || formula.perToken === 0) return 8
  const tokens = 2 ** Math.floor(Math.log2(8e9 / formula.perToken))
  return Math.min(256, Math.max(8, tokens))
}
