/** A GGUF file as a model: what its metadata say of sizes, tokenizer and origin; parsed, bounded, refused where Lode computes otherwise. */
import { z } from 'zod'
import { message } from '#shared/domain/messages'
import { decoderFamilies, sizes, type DecoderFamilyName, type DecoderShape, type EncoderShape } from '../graphs/shapes'
import type { OpenedModel } from '../opened-model'
import { openGguf, type GgufFile } from './gguf-file'
import { tokenizerFiles } from './gguf-tokenizer'
import { readVector, refuse } from './tensor-source'

/** GGUF's ways to make one vector of those of a text's tokens, by their numbers. */
const POOLING = ['none', 'mean', 'cls', 'last', 'rank']
const MEAN = POOLING.indexOf('mean')
const FIRST = POOLING.indexOf('cls')

/** Opens the file; whoever asked closes `tensors`. Throws a Failure `model-refused` that names the file and the reason. */
export async function openGgufModel(path: string): Promise<OpenedModel> {
  const file = await openGguf(path)
  try {
    const architecture = String(file.metadata['general.architecture'])
    const parts = Number(file.metadata['split.count'] ?? 1)
    if (parts > 1) throw refuse(message('model-in-parts', { file: file.fileName, parts }))
    const isDecoder = (decoderFamilies as readonly string[]).includes(architecture)
    if (!isDecoder && architecture !== 'bert') {
      const known = [...decoderFamilies, 'bert'].join(', ')
      throw refuse(message('model-family', { file: file.fileName, family: architecture.slice(0, 40), known }))
    }
    const shape = isDecoder ? await decoderShape(file, architecture as DecoderFamilyName) : encoderShape(file)
    const words = file.metadata['tokenizer.ggml.tokens']
    if (Array.isArray(words) && file.tensor('token_embd.weight').rows < words.length)
      throw refuse(message('model-words-without-vectors', { file: file.fileName, count: words.length }))
    const padding = idOf(file, 'padding')
    return {
      tensors: file,
      shape,
      name: text(file, 'general.name') ?? file.fileName,
      licence: text(file, 'general.license') ?? 'unknown',
      endOfSequenceIds: ['eos', 'eot'].flatMap((key) => idOf(file, key) ?? []),
      ...(padding === undefined ? {} : { paddingId: padding }),
      files: {
        ...tokenizerFiles(file.metadata, file.fileName, shape.family === 'bert' ? 'embed' : 'chat'),
        ...(shape.family === 'bert' ? { '1_Pooling/config.json': pooling(file) } : {}),
      },
      paths: [path],
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Reads `<architecture>.<key>`; throws a Failure that names the key where it is absent or out of bounds. */
function reader(file: GgufFile): <T>(key: string, schema: z.ZodType<T>, fallback?: T) => T {
  const { metadata, fileName } = file
  const architecture = String(metadata['general.architecture'])
  return (key, schema, fallback) => {
    const full = `${architecture}.${key}`
    const value = metadata[full] ?? fallback
    const parsed = schema.safeParse(typeof value === 'bigint' ? Number(value) : value)
    if (!parsed.success) throw refuse(message('model-setting-missing', { file: fileName, setting: full }))
    return parsed.data
  }
}

async function decoderShape(file: GgufFile, family: DecoderFamilyName): Promise<DecoderShape> {
  const { metadata, fileName } = file
  const read = reader(file)
  if (Number(metadata[`${family}.expert_count`] ?? 0) > 0)
    throw refuse(message('model-mixture-of-experts', { file: fileName }))
  const width = read('embedding_length', sizes.width)
  const heads = read('attention.head_count', sizes.heads)
  const headSize = read('attention.key_length', sizes.headSize, Math.trunc(width / heads))
  if (read('attention.value_length', sizes.headSize, headSize) !== headSize)
    throw refuse(message('model-value-size', { file: fileName }))
  const scaling = read('rope.scaling.type', z.string(), 'none')
  if (!['none', 'linear'].includes(scaling))
    throw refuse(message('model-context-scaling', { file: fileName, scaling: scaling.slice(0, 40) }))
  const context = read('context_length', sizes.context)
  const keyValueHeads = read('attention.head_count_kv', sizes.heads, heads)
  if (heads % keyValueHeads !== 0) throw refuse(message('model-heads-not-divided', { file: fileName }))
  if (read('rope.dimension_count', sizes.headSize, headSize) !== headSize)
    throw refuse(message('model-rotary-part', { file: fileName }))
  return {
    family,
    // Files of this family keep rotary pairs side by side.
    pairedRotary: family === 'llama',
    layers: read('block_count', sizes.layers),
    width,
    hidden: read('feed_forward_length', sizes.hidden),
    heads,
    keyValueHeads,
    headSize,
    context: Math.min(context, read('attention.sliding_window', sizes.context, context)),
    epsilon: read('attention.layer_norm_rms_epsilon', sizes.epsilon),
    rotaryBase: read('rope.freq_base', sizes.rotaryBase, 10_000),
    rotaryScale: scaling === 'linear' ? read('rope.scaling.factor', sizes.rotaryScale) : 1,
    rotaryFactors: file.has('rope_freqs.weight') ? await readVector(file, 'rope_freqs.weight', headSize / 2) : null,
  }
}

function encoderShape(file: GgufFile): EncoderShape {
  const read = reader(file)
  const heads = read('attention.head_count', sizes.heads)
  const width = read('embedding_length', sizes.width)
  if (width % heads !== 0) throw refuse(message('model-width-not-divided', { file: file.fileName }))
  if (read('attention.causal', z.boolean(), false))
    throw refuse(message('model-causal-embeddings', { file: file.fileName }))
  return {
    family: 'bert',
    layers: read('block_count', sizes.layers),
    width,
    hidden: read('feed_forward_length', sizes.hidden),
    heads,
    context: read('context_length', sizes.context),
    epsilon: read('attention.layer_norm_epsilon', sizes.epsilon),
  }
}

/** A file that says nothing is taken as most are: the mean. */
function pooling(file: GgufFile): string {
  const kind = reader(file)('pooling_type', z.number(), MEAN)
  if (kind !== MEAN && kind !== FIRST)
    throw refuse(message('model-pooling', { file: file.fileName, kind: String(POOLING[kind] ?? kind) }))
  return JSON.stringify({ pooling_mode_cls_token: kind === FIRST, pooling_mode_mean_tokens: kind === MEAN })
}

function idOf({ metadata }: GgufFile, key: string): number | undefined {
  const id = metadata[`tokenizer.ggml.${key}_token_id`]
  return typeof id === 'number' || typeof id === 'bigint' ? Number(id) : undefined
}

function text({ metadata }: GgufFile, key: string): string | undefined {
  const value = metadata[key]
  return typeof value === 'string' && value.trim() !== '' ? value.slice(0, 120) : undefined
}
