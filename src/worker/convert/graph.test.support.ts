/** What a written graph answers, how far that is from what it should, and the MACs that it must have. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, onTestFinished } from 'vitest'
import { countTransformerMacs, type TransformerMacs } from '../inference/graph/macs'
import { readGraph } from '../inference/graph/read'
import { WORDS, type TinyShape } from './sources/gguf.test.support'

/** Logits of all positions, from the graph that was written. */
export async function graphLogits(folder: string, shape: TinyShape, ids: readonly number[]): Promise<Float32Array> {
  return (await graphOutputs(folder, shape, ids, ids.length)).logits
}

/** What the graph gives when logits are asked for the last `kept` tokens. `repeats`: heads of a group whose rows are one product. */
export async function graphOutputs(
  folder: string,
  shape: TinyShape,
  ids: readonly number[],
  kept: number,
  repeats = 1,
): Promise<{ logits: Float32Array; keys: Float32Array; values: Float32Array }> {
  const session = await InferenceSession.create(join(folder, 'model.onnx'))
  onTestFinished(() => session.release())
  const whole = (values: readonly number[], dimensions: readonly number[]): Tensor =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), dimensions)
  // one position of cache, which the bias hides
  const nothing = new Tensor('float32', new Float32Array(shape.keyValueHeads * shape.headSize), [
    1,
    shape.keyValueHeads,
    1,
    1,
    shape.headSize,
  ])
  const past = Array.from({ length: shape.layers }, (_, layer) => layer).flatMap((layer) =>
    ['key', 'value'].map((kind) => [`past_key_values.${layer}.${kind}`, nothing]),
  )
  const bias = ids.map((_, row) => [-Infinity, ...ids.map((_, column) => (column > row ? -Infinity : 0))])
  const rows = Array<typeof bias>(repeats).fill(bias).flat()
  const { logits, new_keys, new_values } = await session.run({
    input_ids: whole(ids, [1, ids.length]),
    position_ids: whole([...ids.keys()], [1, ids.length]),
    attention_bias: new Tensor('float32', rows.flat(), [1, 1, 1, rows.length, ids.length + 1]),
    logits_to_keep: whole([kept], []),
    ...(Object.fromEntries(past) as Record<string, Tensor>),
  })
  const [one, keys, values] = [logits, new_keys, new_values].map((output) => output!.data as Float32Array)
  return { logits: one!, keys: keys!, values: values! }
}

/** Root mean square of the difference, as a share of the expected values' spread. */
export function distance(actual: Float32Array, expected: Float64Array[]): number {
  const flat = expected.flatMap((row) => Array.from(row))
  expect(actual.length).toBe(flat.length)
  let error = 0
  let size = 0
  flat.forEach((value, index) => {
    error += (value - actual[index]!) ** 2
    size += value ** 2
  })
  return Math.sqrt(error / size)
}

/** Weights and constants that no node of the graph takes: onnxruntime complains of each. */
export function unusedWeights(folder: string): string[] {
  const { graph } = onnxProto.onnx.ModelProto.decode(readFileSync(join(folder, 'model.onnx')))
  const taken = new Set(graph?.node?.flatMap((node) => node.input ?? []))
  return (graph?.initializer ?? []).flatMap(({ name }) => (typeof name === 'string' && !taken.has(name) ? name : []))
}

/** As probing a model counts them. */
export async function countedMacs(folder: string, { heads, headSize }: TinyShape): Promise<TransformerMacs> {
  const graph = await readGraph(join(folder, 'model.onnx'))
  return countTransformerMacs(graph, graph.outputs, { heads, headSize }, 'logits')
}

/** From the sizes alone: every matrix of a layer once a token, the head once a row of logits, scores and values once a pair. */
export function macsByHand({ layers, width, hidden, heads, keyValueHeads, headSize }: TinyShape): TransformerMacs {
  const query = width * heads * headSize
  const keyAndValue = 2 * width * keyValueHeads * headSize
  const output = heads * headSize * width
  const feedForward = 3 * width * hidden
  return {
    perToken: layers * (query + keyAndValue + output + feedForward),
    perLogits: WORDS.length * width,
    perPair: layers * 2 * heads * headSize,
  }
}
