/** A GGUF file as a model: what its metadata say of sizes, tokenizer and origin; parsed, bounded, refused where Lode computes otherwise. */
import { z } from 'zod'
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
    if (parts > 1)
      throw refuse(
        file.fileName,
        `is one of ${parts} parts of a model`,
        'Choose a file in one piece, or join the parts first (llama-gguf-split --merge).',
      )
    const isDecoder = (decoderFamilies as readonly string[]).includes(architecture)
    if (!isDecoder && architecture !== 'bert') {
      const known = [...decoderFamilies, 'bert'].join(', ')
      throw refuse(
        file.fileName,
        `is of the family ${architecture.slice(0, 40)}; Lode builds graphs for ${known}`,
        'Choose a model of one of these families.',
      )
    }
    const shape = isDecoder ? await decoderShape(file, architecture as DecoderFamilyName) : encoderShape(file)
    const words = file.metadata['tokenizer.ggml.tokens']
    if (Array.isArray(words) && file.tensor('token_embd.weight').rows < words.length)
      throw refuse(file.fileName, `has ${words.length} words, and vectors for fewer`)
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
    if (!parsed.success) throw refuse(fileName, `has no usable ${full}`)
    return parsed.data
  }
}

async function decoderShape(file: GgufFile, family: DecoderFamilyName): Promise<DecoderShape> {
  const { metadata, fileName } = file
  const read = reader(file)
  if (Number(metadata[`${family}.expert_count`] ?? 0) > 0)
    throw refuse(fileName, 'is a mixture of experts, which Lode does not build yet')
  const width = read('embedding_length', sizes.width)
  const heads = read('attention.head_count', sizes.heads)
  const headSize = read('attention.key_length', sizes.headSize, Math.trunc(width / heads))
  if (read('attention.value_length', sizes.headSize, headSize) !== headSize)
    throw refuse(fileName, 'has values of another size than its keys, which Lode does not compute')
  const scaling = read('rope.scaling.type', z.string(), 'none')
  if (!['none', 'linear'].includes(scaling))
    throw refuse(fileName, `stretches its context by ${scaling.slice(0, 40)}, which Lode does not compute`)
  const context = read('context_length', sizes.context)
  const keyValueHeads = read('attention.head_count_kv', sizes.heads, heads)
  if (heads % keyValueHeads !== 0) throw refuse(fileName, 'has heads that its key-value heads do not divide')
  if (read('rope.dimension_count', sizes.headSize, headSize) !== headSize)
    throw refuse(fileName, 'turns only a part of each head, which Lode does not compute')
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
  if (width % heads !== 0) throw refuse(file.fileName, 'has a width that its heads do not divide')
  if (read('attention.causal', z.boolean(), false))
    throw refuse(file.fileName, 'lets a token see only those before it, which Lode does not compute for embeddings')
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
    throw refuse(
      file.fileName,
      `makes one vector of a text by "${POOLING[kind] ?? kind}", which Lode does not compute: it knows "mean" and "cls"`,
    )
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
