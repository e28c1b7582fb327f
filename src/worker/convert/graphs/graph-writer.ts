/** Writes an ONNX graph with its weights in a file beside it, so that no more than one tensor is in memory at a time. */
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'

const { onnx: proto } = onnxProto
export const GRAPH_FILE = 'model.onnx'
export const WEIGHTS_FILE = 'model.onnx.data'
/** onnxruntime maps weights that begin on a page. */
const PAGE_BYTES = 4096
/** Smaller tensors are not worth a page. */
const INLINE_BYTES = 1024
const IR_VERSION = 10
const OPERATOR_SET = 21

export const FLOAT = 1
export const UINT8 = 2
export const INT8 = 3
export const INT64 = 7
type ElementType = typeof FLOAT | typeof UINT8 | typeof INT8 | typeof INT64
/** The arrays that become tensors; the array's type is the tensor's. */
type Numbers = Float32Array | Uint8Array | Int8Array
type AttributeValue = number | { float: number } | readonly number[]

export interface GraphWriter {
  /** Adds a node; gives the name of its first output. */
  node(
    operator: string,
    inputs: readonly string[],
    outputs: string | readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): string
  /** Writes a tensor to the weights file at once; a small one stays within the graph. */
  weights(name: string, values: Numbers, shape: readonly number[]): Promise<string>
  /** A small tensor within the graph. */
  integers(name: string, values: readonly number[], shape: readonly number[]): string
  input(name: string, type: ElementType, shape: readonly (string | number)[]): string
  output(name: string, type: ElementType, shape: readonly (string | number)[]): void
  /** Writes the graph and closes both files. */
  finish(): Promise<void>
  /** Closes what is open, when the graph is given up. */
  abandon(): Promise<void>
}

/** Operators that are not ONNX's own but onnxruntime's. */
const CONTRIBUTED = new Set([
  'BiasGelu',
  'FusedMatMul',
  'GatherBlockQuantized',
  'MatMulIntegerToFloat',
  'MatMulNBits',
  'MultiHeadAttention',
  'RotaryEmbedding',
  'SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization',
])

function attribute(name: string, value: AttributeValue): onnx.IAttributeProto {
  const { AttributeType } = proto.AttributeProto
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value }
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float }
  return { name, type: AttributeType.INTS, ints: [...value] }
}

/** `folder` exists and holds no graph yet. */
export async function createGraphWriter(folder: string): Promise<GraphWriter> {
  const file = await open(join(folder, WEIGHTS_FILE), 'wx')
  const graph = proto.GraphProto.create({ name: 'lode' })
  let position = 0

  const valueInfo = (name: string, type: ElementType, shape: readonly (string | number)[]): onnx.IValueInfoProto => ({
    name,
    type: {
      tensorType: {
        elemType: type,
        shape: { dim: shape.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size })) },
      },
    },
  })
  return {
    node: (operator, inputs, outputs, attributes = {}) => {
      const names = typeof outputs === 'string' ? [outputs] : [...outputs]
      graph.node.push(
        proto.NodeProto.create({
          name: names[0] ?? '',
          opType: operator,
          domain: CONTRIBUTED.has(operator) ? 'com.microsoft' : '',
          input: [...inputs],
          output: names,
          attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
        }),
      )
      return names[0] ?? ''
    },
    weights: async (name, values, shape) => {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      const dataType = elementType(values)
      if (bytes.length <= INLINE_BYTES) {
        graph.initializer.push(proto.TensorProto.create({ name, dims: [...shape], dataType, rawData: bytes }))
        return name
      }
      const start = Math.ceil(position / PAGE_BYTES) * PAGE_BYTES
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, start + done)
        done += bytesWritten
      }
      position = start + bytes.length
      graph.initializer.push(
        proto.TensorProto.create({
          name,
          dims: [...shape],
          dataType,
          dataLocation: proto.TensorProto.DataLocation.EXTERNAL,
          externalData: [
            { key: 'location', value: WEIGHTS_FILE },
            { key: 'offset', value: String(start) },
            { key: 'length', value: String(bytes.length) },
          ],
        }),
      )
      return name
    },
    integers: (name, values, shape) => {
      const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
      graph.initializer.push(proto.TensorProto.create({ name, dims: [...shape], dataType: INT64, rawData }))
      return name
    },
    input: (name, type, shape) => {
      graph.input.push(valueInfo(name, type, shape))
      return name
    },
    output: (name, type, shape) => void graph.output.push(valueInfo(name, type, shape)),
    finish: async () => {
      await file.close()
      const model = proto.ModelProto.create({
        irVersion: IR_VERSION,
        producerName: 'lode',
        opsetImport: [
          { domain: '', version: OPERATOR_SET },
          { domain: 'com.microsoft', version: 1 },
        ],
        graph,
      })
      await writeFile(join(folder, GRAPH_FILE), proto.ModelProto.encode(model).finish(), { flag: 'wx' })
    },
    abandon: () => file.close(),
  }
}

function elementType(values: Numbers): ElementType {
  if (values instanceof Float32Array) return FLOAT
  return values instanceof Int8Array ? INT8 : UINT8
}
