/** The forward pass of one request with its key-value cache: tokens in, logits of the last position out. */
import type { Tensor } from 'onnxruntime-node'
import { message } from '#shared/domain/messages'
import { damaged } from '../model-files'
import { tensorShape } from '../sessions'
import { createGrowingCache, createInPlaceCache } from './sequence-cache'
import type { ChatModel } from './model'

export interface Decoder {
  /** Passes tokens through the layers and adds their keys and values to the cache. */
  prefill(ids: readonly number[]): Promise<void>
  /** Does the same, and gives the logits of the last token, one for each entry of the vocabulary. */
  next(ids: readonly number[]): Promise<Float32Array>
}

export function createDecoder(model: ChatModel): Decoder {
  const { session } = model
  const cache = model.inPlace
    ? createInPlaceCache(model.runtime, model.cacheInputs)
    : createGrowingCache(model.runtime, model.cacheInputs)
  let positions = 0

  const run = async (ids: readonly number[], wanted: Record<string, null>): Promise<Record<string, Tensor>> => {
    const total = positions + ids.length
    cache.prepare(total)
    const feeds = { ...cache.past(), ...inputs(model, ids, positions) }
    const results = (await session.run(feeds, { ...wanted, ...cache.outputs() })) as Record<string, Tensor>
    cache.take(results, total)
    positions = total
    return results
  }
  return {
    prefill: async (ids) => void (await run(ids, {})),
    next: async (ids) => {
      const { logits } = await run(ids, { logits: null })
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

/** Logits come as [1, tokens, vocabulary] or [1, 1, vocabulary], in float32 or float16. */
function lastRow(logits: Tensor): Float32Array {
  const vocabulary = logits.dims.at(-1) ?? 0
  const { data } = logits
  if (data instanceof Float32Array) return data.subarray(data.length - vocabulary)
  if (data instanceof Uint16Array) return Float32Array.from(data.subarray(data.length - vocabulary), halfToSingle)
  if (logits.type === 'float16')
    return Float32Array.from((data as unknown as Float32Array).subarray(data.length - vocabulary))
  throw damaged(message('run-logits-type', { type: logits.type }))
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
