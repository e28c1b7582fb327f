/** A model's sizes from the hub's config.json; parsed, bounded, refused where Lode computes otherwise. */
import { z } from 'zod'
import { describeParseError } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { llama3Factors } from '../graphs/rotary'
import { sizes, type DecoderFamilyName, type DecoderShape, type EncoderShape, type ModelShape } from '../graphs/shapes'
import { refuse } from './tensor-source'

const FILE = 'config.json'
const FAMILIES: Readonly<Record<string, DecoderFamilyName | 'bert'>> = {
  llama: 'llama',
  mistral: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  bert: 'bert',
}

const typed = z.looseObject({ model_type: z.string(), quantization_config: z.unknown().optional() })
/** "rope_scaling", which newer files call "rope_parameters" */
const scaling = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: sizes.rotaryBase.optional(),
  factor: sizes.rotaryScale.optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: sizes.context.optional(),
})
const decoder = z.looseObject({
  num_hidden_layers: sizes.layers,
  hidden_size: sizes.width,
  intermediate_size: sizes.hidden,
  num_attention_heads: sizes.heads,
  num_key_value_heads: sizes.heads.nullish(),
  head_dim: sizes.headSize.nullish(),
  max_position_embeddings: sizes.context,
  rms_norm_eps: sizes.epsilon,
  rope_theta: sizes.rotaryBase.optional(),
  rope_scaling: scaling.nullish(),
  rope_parameters: scaling.nullish(),
  sliding_window: sizes.context.nullish(),
  use_sliding_window: z.boolean().nullish(),
  hidden_act: z.string().optional(),
  mlp_bias: z.boolean().nullish(),
  partial_rotary_factor: z.number().nullish(),
})
const encoder = z.looseObject({
  num_hidden_layers: sizes.layers,
  hidden_size: sizes.width,
  intermediate_size: sizes.hidden,
  num_attention_heads: sizes.heads,
  max_position_embeddings: sizes.context,
  layer_norm_eps: sizes.epsilon,
  hidden_act: z.string().optional(),
  position_embedding_type: z.string().optional(),
  is_decoder: z.boolean().optional(),
})

/** Throws a Failure `model-refused` that names the family, the size or the setting at fault. */
export function hubShape(config: unknown): ModelShape {
  const { model_type, quantization_config } = parse(typed, config)
  const family = Object.hasOwn(FAMILIES, model_type) ? FAMILIES[model_type] : undefined
  if (family === undefined) {
    const known = Object.keys(FAMILIES).join(', ')
    throw refuse(message('model-family', { file: FILE, family: model_type.slice(0, 40), known }))
  }
  if (quantization_config !== undefined && quantization_config !== null)
    throw refuse(message('model-quantized', { file: FILE }))
  return family === 'bert' ? encoderShape(config) : decoderShape(config, family)
}

function decoderShape(value: unknown, family: DecoderFamilyName): DecoderShape {
  const config = parse(decoder, value)
  const heads = config.num_attention_heads
  const keyValueHeads = config.num_key_value_heads ?? heads
  const headSize = config.head_dim ?? Math.trunc(config.hidden_size / heads)
  if (!sizes.headSize.safeParse(headSize).success) throw refuse(message('model-no-head-size', { file: FILE }))
  if (heads % keyValueHeads !== 0) throw refuse(message('model-heads-not-divided', { file: FILE }))
  if ((config.hidden_act ?? 'silu') !== 'silu') throw notComputed(`hidden_act ${config.hidden_act}`)
  if (config.mlp_bias === true) throw notComputed('mlp_bias')
  if ((config.partial_rotary_factor ?? 1) !== 1) throw notComputed('partial_rotary_factor')
  const rotary = config.rope_parameters ?? config.rope_scaling ?? {}
  const kind = rotary.rope_type ?? rotary.type ?? 'default'
  if (!['default', 'linear', 'llama3'].includes(kind)) throw notComputed(`rope_scaling ${kind}`)
  if (kind !== 'default' && rotary.factor === undefined)
    throw refuse(message('model-rope-without-factor', { file: FILE }))
  const rotaryBase = config.rope_theta ?? rotary.rope_theta ?? 10_000
  const window = config.use_sliding_window === false ? null : config.sliding_window
  return {
    family,
    pairedRotary: false,
    layers: config.num_hidden_layers,
    width: config.hidden_size,
    hidden: config.intermediate_size,
    heads,
    keyValueHeads,
    headSize,
    context: Math.min(config.max_position_embeddings, window ?? config.max_position_embeddings),
    epsilon: config.rms_norm_eps,
    rotaryBase,
    rotaryScale: kind === 'linear' ? (rotary.factor ?? 1) : 1,
    rotaryFactors:
      kind === 'llama3'
        ? llama3Factors(
            { headSize, rotaryBase },
            {
              factor: rotary.factor ?? 1,
              lowFrequencyFactor: rotary.low_freq_factor ?? 1,
              highFrequencyFactor: rotary.high_freq_factor ?? 4,
              originalContext: rotary.original_max_position_embeddings ?? 8192,
            },
          )
        : null,
  }
}

function encoderShape(value: unknown): EncoderShape {
  const config = parse(encoder, value)
  const heads = config.num_attention_heads
  if (config.hidden_size % heads !== 0) throw refuse(message('model-hidden-size-not-divided', { file: FILE }))
  if ((config.hidden_act ?? 'gelu') !== 'gelu') throw notComputed(`hidden_act ${config.hidden_act}`)
  if ((config.position_embedding_type ?? 'absolute') !== 'absolute') throw notComputed('relative positions')
  if (config.is_decoder === true) throw notComputed('is_decoder')
  return {
    family: 'bert',
    layers: config.num_hidden_layers,
    width: config.hidden_size,
    hidden: config.intermediate_size,
    heads,
    context: config.max_position_embeddings,
    epsilon: config.layer_norm_eps,
  }
}

const notComputed = (what: string): ReturnType<typeof refuse> =>
  refuse(message('model-asks-for', { file: FILE, what: what.slice(0, 60) }))

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw refuse(message('model-config-wrong', { file: FILE, fault: describeParseError(parsed.error) }))
  return parsed.data
}
