/** A chat model in memory: graph, tokenizer, template, and the names and shapes of its key-value cache. */
import { basename } from 'node:path'
import { Template } from '@huggingface/jinja'
import { z } from 'zod'
import type { InstalledModel } from '#shared/domain/model-stages'
import {
  contextTokens,
  damaged,
  graphPath,
  headSize,
  readModelConfig,
  readModelJson,
  readModelText,
  type ModelConfig,
} from '../model-files'
import { openGraph, tensorShape, type LoadedGraph } from '../sessions'
import { loadTokenizer, tokenText, type TextTokenizer, type TokenizerConfig } from '../tokenizer'
import { writesInPlace, type CacheSlot } from './cache'
import type { KeyValueShape } from './key-values'

export interface ChatModel extends LoadedGraph {
  tokenizer: TextTokenizer
  template: Template
  endIds: ReadonlySet<number>
  /** tokens that prompt and answer may have together */
  context: number
  cache: CacheSlot[]
  /** the graph writes into the cache it is given (cache.ts) */
  inPlace: boolean
  /** the graph computes many requests in one run and puts out only what is new for their cache; null: one request a run */
  joined: KeyValueShape | null
  /** prompt tokens in one run, at most twice as many: what a device does within a fraction of a second */
  prefillTokens: number
}

/** Inputs that are not cache, and how they are filled (decoder.ts). */
export const KNOWN_INPUTS = [
  'input_ids',
  'attention_mask',
  'position_ids',
  'attention_bias',
  'use_cache_branch',
  'num_logits_to_keep',
  'logits_to_keep',
] as const

const generationConfig = z.looseObject({
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
})

/** Loads the model. Throws a Failure `model-refused` that names the file at fault. */
export async function loadChatModel(model: InstalledModel, threads: number): Promise<ChatModel> {
  const config = await readModelConfig(model)
  const generation = await readModelJson(model, 'generation_config.json', generationConfig)
  const tokenizer = await loadTokenizer(model)
  const template = await loadTemplate(model, tokenizer.config)
  const context = contextTokens(model.card.context, config.max_position_embeddings, tokenizer.config.model_max_length)
  const path = graphPath(model)
  const graph = await openGraph(path, threads, { waitBusily: true })
  try {
    const joined = joinedCache(graph, config)
    const cache = joined === null ? cacheSlots(graph, config, basename(path)) : []
    return {
      ...graph,
      tokenizer,
      template,
      context,
      endIds: endOfSequence(config, generation?.eos_token_id, tokenizer),
      cache,
      inPlace: joined === null && (await writesInPlace(path, cache)),
      joined,
      prefillTokens: prefillTokens(model),
    }
  } catch (error) {
    await graph.session.release()
    throw error
  }
}

async function loadTemplate(model: InstalledModel, config: TokenizerConfig): Promise<Template> {
  const own = config.chat_template
  const named = Array.isArray(own) ? own.find((entry) => entry.name === 'default')?.template : own
  const text = (await readModelText(model, 'chat_template.jinja')) ?? named
  if (!text) throw damaged('tokenizer_config.json', 'has no chat template, and there is no chat_template.jinja')
  try {
    return new Template(text)
  } catch (error) {
    throw damaged('the chat template', `is not understood (${error instanceof Error ? error.message : String(error)})`)
  }
}

function endOfSequence(
  config: ModelConfig,
  generation: number | number[] | null | undefined,
  tokenizer: TextTokenizer,
): Set<number> {
  const word = tokenText(tokenizer.config.eos_token)
  const ids = [generation, config.eos_token_id, word === undefined ? undefined : tokenizer.idOf(word)]
  return new Set(ids.flat().filter((id): id is number => typeof id === 'number'))
}

/** The cache of graphs that Lode builds (convert/decoder-attention.ts), by the names and shapes of their inputs. */
function joinedCache({ session }: LoadedGraph, config: ModelConfig): KeyValueShape | null {
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

function cacheSlots({ session }: LoadedGraph, config: ModelConfig, file: string): CacheSlot[] {
  const slots: CacheSlot[] = []
  for (const past of session.inputNames) {
    if ((KNOWN_INPUTS as readonly string[]).includes(past)) continue
    const present = past.replace(/^past_key_values\./, 'present.')
    const value = tensorShape(session.inputMetadata, past)
    if (present === past || value?.shape.length !== 4 || !session.outputNames.includes(present)) {
      throw damaged(file, `wants the unknown input ${past}`)
    }
    const [, heads, , size] = value.shape
    const configured = config.num_key_value_heads ?? config.num_attention_heads
    const cached = typeof heads === 'number' ? heads : configured
    if (cached === undefined) throw damaged('config.json', 'names no num_key_value_heads')
    slots.push({
      past,
      present,
      type: value.type,
      heads: cached,
      headSize: typeof size === 'number' ? size : headSize(config),
    })
  }
  if (!session.outputNames.includes('logits') || !session.inputNames.includes('input_ids') || slots.length === 0) {
    throw damaged(file, 'is no decoder with input_ids, past_key_values and logits')
  }
  return slots
}

/**
 * A power of two from 8 to 256 with at most some 8 × 10⁹ MACs a run: a run cannot be interrupted, so this bounds how
 * late a cancelled job ends, and how long the other requests' next token waits for a part of a prompt. It follows from
 * the card alone, so that the same prompt is always computed the same way.
 */
function prefillTokens(model: InstalledModel): number {
  const formula = model.card.macFormula
  if (formula.kind !== 'chat' || formula.perToken === 0) return 8
  const tokens = 2 ** Math.floor(Math.log2(8e9 / formula.perToken))
  return Math.min(256, Math.max(8, tokens))
}
