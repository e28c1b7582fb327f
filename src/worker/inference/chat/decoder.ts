/** The forward pass with its key-value cache: tokens in, logits of the last position out. */
import type { Tensor } from 'onnxruntime-node'
import { damaged } from '../model-files'
import { tensorShape } from '../sessions'
import type { CacheSlot, ChatModel } from './model'

export interface Decoder {
  /** Passes tokens through the layers and keeps their keys and values. */
  absorb(ids: readonly number[]): Promise<void>
  /** The same, and gives the logits of the last token, one for each word of the vocabulary. */
  next(ids: readonly number[]): Promise<Float32Array>
}

export function createDecoder(model: ChatModel): Decoder {
  const { session } = model
  const presents = model.cache.map((slot) => slot.present)
  let cache = Object.fromEntries(model.cache.map((slot) => [slot.past, emptyTensor(model, slot)]))
  let positions = 0

  const run = async (ids: readonly number[], outputs: string[]): Promise<Record<string, Tensor>> => {
    const results = (await session.run({ ...cache, ...inputs(model, ids, positions) }, outputs)) as Record<
      string,
      Tensor
    >
    cache = Object.fromEntries(
      model.cache.map((slot) => {
        const present = results[slot.present]
        if (!present) throw new Error(`the graph gave no ${slot.present}`)
        return [slot.past, present]
      }),
    )
    positions += ids.length
    return results
  }
  return {
    absorb: async (ids) => void (await run(ids, presents)),
    next: async (ids) => {
      const { logits } = await run(ids, ['logits', ...presents])
      if (!logits) throw new Error('the graph gave no logits')
      return lastRow(logits)
    },
  }
}

function inputs(model: ChatModel, ids: readonly number[], positions: number): Record<string, Tensor> {
  const { Tensor } = model.runtime
  const whole = (name: string, values: readonly number[], shape: readonly number[]): Tensor => {
    const narrow = tensorShape(model.session.inputMetadata, name)?.type === 'int32'
    return narrow
      ? new Tensor('int32', Int32Array.from(values), shape)
      : new Tensor('int64', BigInt64Array.from(values, BigInt), shape)
  }
  const total = positions + ids.length
  const make: Record<string, () => Tensor> = {
    input_ids: () => whole('input_ids', ids, [1, ids.length]),
    attention_mask: () => whole('attention_mask', Array<number>(total).fill(1), [1, total]),
    position_ids: () =>
      whole(
        'position_ids',
        ids.map((_, index) => positions + index),
        [1, ids.length],
      ),
    use_cache_branch: () => new Tensor('bool', [positions > 0], [1]),
    num_logits_to_keep: () => whole('num_logits_to_keep', [1], []),
    logits_to_keep: () => whole('logits_to_keep', [1], []),
  }
  return Object.fromEntries(
    model.session.inputNames.flatMap((name) => {
      const tensor = make[name]?.()
      return tensor ? [[name, tensor]] : []
    }),
  )
}

function emptyTensor(model: ChatModel, slot: CacheSlot): Tensor {
  const { Tensor } = model.runtime
  const shape = [1, slot.heads, 0, slot.headSize]
  if (slot.type === 'float32') return new Tensor('float32', new Float32Array(0), shape)
  if (slot.type === 'float16') return new Tensor('float16', new Uint16Array(0), shape)
  throw damaged(slot.past, `has elements of type ${slot.type}, where float32 or float16 is needed`)
}

/** Logits come as [1, tokens, words] or [1, 1, words], in float32 or float16. */
function lastRow(logits: Tensor): Float32Array {
  const words = logits.dims.at(-1) ?? 0
  const { data } = logits
  if (data instanceof Float32Array) return data.subarray(data.length - words)
  if (data instanceof Uint16Array) return Float32Array.from(data.subarray(data.length - words), halfToSingle)
  if (logits.type === 'float16')
    return Float32Array.from((data as unknown as Float32Array).subarray(data.length - words))
  throw damaged('logits', `have elements of type ${logits.type}, where float32 or float16 is needed`)
}

/** IEEE 754 binary16, given as its bits. */
function halfToSingle(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
