import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'
import { expect, onTestFinished, test } from 'vitest'
import { countTransformerMacs } from './macs'
import { readGraph, type Graph } from './read'

function write(graph: onnx.IGraphProto): Promise<Graph> {
  const folder = mkdtempSync(join(tmpdir(), 'lode-graph-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'model.onnx')
  writeFileSync(
    path,
    onnxProto.onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph }).finish(),
  )
  return readGraph(path)
}

const node = (
  opType: string,
  input: string[],
  output: string[],
  attribute: onnx.IAttributeProto[] = [],
): onnx.INodeProto => ({ opType, input, output, attribute })
const weights = (name: string, ...dims: number[]): onnx.ITensorProto => ({ name, dims, dataType: 1 })
const whole = (name: string, i: number): onnx.IAttributeProto => ({ name, type: 2, i })
const attention = { heads: 2, headSize: 5 }

test('products with constants count their elements, however the constant gets there', async () => {
  const constant = node('Constant', [], ['c'], [{ name: 'value', type: 4, t: { dims: [7, 11], dataType: 1 } }])
  const graph = await write({
    initializer: [weights('w', 3, 5), weights('q', 5, 7), weights('scale'), weights('g', 13, 11), weights('n', 4)],
    node: [
      constant,
      node('MatMul', ['x', 'w'], ['a']),
      node('DequantizeLinear', ['q', 'scale'], ['dq']),
      node('Transpose', ['dq'], ['t']),
      node('MatMul', ['a', 't'], ['b']),
      node('MatMul', ['b', 'c'], ['d']),
      node('Gemm', ['d', 'g'], ['e']),
      node('MatMulNBits', ['e', 'n'], ['y'], [whole('K', 13), whole('N', 17)]),
    ],
    output: [{ name: 'y' }],
  })
  expect(countTransformerMacs(graph, ['y'], attention)).toEqual({
    perToken: 15 + 35 + 77 + 143 + 221,
    perLogits: 0,
    perPair: 0,
  })
  expect(countTransformerMacs(graph, ['y'], attention, 'y')).toEqual({
    perToken: 15 + 35 + 77 + 143,
    perLogits: 221,
    perPair: 0,
  })
})

test('attention counts scores and values, fused or not; other products of two activations count nothing', async () => {
  const graph = await write({
    node: [
      node('MatMul', ['query', 'key'], ['scores']),
      node('Softmax', ['scores'], ['soft']),
      node('Cast', ['soft'], ['cast']),
      node('MatMul', ['cast', 'value'], ['one']),
      node(
        'GroupQueryAttention',
        ['one', '', '', 'p', 'q'],
        ['two'],
        [whole('num_heads', 3), whole('kv_num_heads', 1)],
      ),
      node('MultiHeadAttention', ['two'], ['three'], [whole('num_heads', 4)]),
      node('MatMul', ['frequencies', 'positions'], ['angles']),
      node('Add', ['three', 'angles'], ['y']),
    ],
    output: [{ name: 'y' }],
  })
  expect(countTransformerMacs(graph, ['y'], attention)).toEqual({
    perToken: 0,
    perLogits: 0,
    perPair: 2 * 2 * 5 + 2 * 3 * 5 + 2 * 4 * 5,
  })
})

test('what does not contribute to the output is not counted', async () => {
  const graph = await write({
    initializer: [weights('w', 3, 5), weights('pooler', 5, 5)],
    node: [node('MatMul', ['x', 'w'], ['hidden']), node('MatMul', ['hidden', 'pooler'], ['pooled'])],
    output: [{ name: 'hidden' }, { name: 'pooled' }],
  })
  expect(countTransformerMacs(graph, ['hidden'], attention).perToken).toBe(15)
  expect(countTransformerMacs(graph, ['hidden', 'pooled'], attention).perToken).toBe(40)
})

test('of an If, one branch counts', async () => {
  const branch = (name: string, products: number): onnx.IGraphProto => ({
    initializer: [weights(`${name}_w`, 2, 2)],
    node: Array.from({ length: products }, (_, index) =>
      node('MatMul', [index === 0 ? 'x' : `${name}${index - 1}`, `${name}_w`], [`${name}${index}`]),
    ),
    output: [{ name: `${name}${products - 1}` }],
  })
  const graph = await write({
    node: [
      node(
        'If',
        ['cached'],
        ['y'],
        [
          { name: 'then_branch', type: 5, g: branch('then', 2) },
          { name: 'else_branch', type: 5, g: branch('else', 3) },
        ],
      ),
    ],
    output: [{ name: 'y' }],
  })
  expect(countTransformerMacs(graph, ['y'], attention).perToken).toBe(12)
})
