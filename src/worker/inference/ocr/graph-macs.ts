/** MACs of OCR's graphs, counted from the shapes that the runtime computes. */
import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import type { onnx as Onnx } from 'onnx-proto'

/** Multiply-accumulates of one run of a graph, by the matrix-shaped operators that have any. */
export interface GraphMacs {
  convolution: bigint
  /** products with a stored weight matrix: linear in the rows */
  projection: bigint
  /** products of two computed matrices: attention, quadratic in the positions */
  attention: bigint
}

type Shape = readonly number[]
type Node = Onnx.INodeProto

const MATRIX_OPERATORS = new Set(['Conv', 'ConvTranspose', 'MatMul', 'Gemm'])

/**
 * Counts the MACs of Conv, ConvTranspose, MatMul and Gemm nodes. Every operand that is not stored in the graph is added
 * to the graph's outputs, so that the runtime computes their shapes.
 * Returns a counter for float32 inputs of the given dimensions. Throws for a file that is no ONNX graph.
 */
export async function openMacCounter(path: string): Promise<(dims: Shape) => Promise<GraphMacs>> {
  const { onnx } = createRequire(import.meta.url)('onnx-proto') as typeof import('onnx-proto')
  const ort = await import('onnxruntime-node')
  const model = onnx.ModelProto.decode(await readFile(path))
  const graph = model.graph
  const inputName = graph?.input?.[0]?.name
  if (!graph?.node || !inputName) throw new TypeError('the file holds no ONNX graph')
  const stored = storedShapes(graph)
  const nodes = graph.node.filter((node) => MATRIX_OPERATORS.has(node.opType ?? ''))
  const wanted = new Set(nodes.flatMap((node) => [node.output?.[0], node.input?.[0], node.input?.[1]]))
  const watched = [...wanted].filter((name): name is string => !!name && name !== inputName && !stored.has(name))
  graph.output = watched.map((name) => ({ name }))
  const session: InferenceSession = await ort.InferenceSession.create(onnx.ModelProto.encode(model).finish(), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
  })

  return async (dims) => {
    const input = new ort.Tensor('float32', new Float32Array(dims.reduce((product, dim) => product * dim, 1)), dims)
    const outputs: Record<string, Tensor> = await session.run({ [inputName]: input })
    const shapeOf = (name: string | null | undefined): Shape => {
      if (name === inputName) return dims
      const shape = stored.get(name ?? '') ?? outputs[name ?? '']?.dims
      if (!shape) throw new TypeError(`the graph has no value named ${name}`)
      return shape
    }
    const total: GraphMacs = { convolution: 0n, projection: 0n, attention: 0n }
    for (const node of nodes) total[partOf(node, stored)] += macsOf(node, shapeOf)
    return total
  }
}

/** Dimensions of the tensors stored in the graph: initializers and Constant nodes. */
function storedShapes(graph: Onnx.IGraphProto): Map<string, Shape> {
  const shapes = new Map<string, Shape>()
  for (const tensor of graph.initializer ?? []) shapes.set(tensor.name ?? '', (tensor.dims ?? []).map(Number))
  for (const node of graph.node ?? []) {
    const value = node.opType === 'Constant' ? node.attribute?.find(({ name }) => name === 'value')?.t : undefined
    if (value) shapes.set(node.output?.[0] ?? '', (value.dims ?? []).map(Number))
  }
  return shapes
}

function partOf(node: Node, stored: Map<string, Shape>): keyof GraphMacs {
  if (node.opType === 'Conv' || node.opType === 'ConvTranspose') return 'convolution'
  return node.input?.some((name) => stored.has(name)) ? 'projection' : 'attention'
}

/** Bias additions, activations and normalizations do not count, as in protocol.md §1: "counted from matrix shapes". */
function macsOf(node: Node, shapeOf: (name: string | null | undefined) => Shape): bigint {
  const left = shapeOf(node.input?.[0])
  const right = shapeOf(node.input?.[1])
  const output = shapeOf(node.output?.[0])
  // Weights [out, in / groups, height, width]: every output element takes one kernel of every input channel.
  if (node.opType === 'Conv') return product(output) * product(right.slice(1))
  // Weights [in, out / groups, height, width]: every input element feeds one kernel of every output channel.
  if (node.opType === 'ConvTranspose') return product(left) * product(right.slice(1))
  const leftIsTransposed =
    node.opType === 'Gemm' && Number(node.attribute?.find(({ name }) => name === 'transA')?.i ?? 0) === 1
  return product(output) * BigInt((leftIsTransposed ? left[0] : left.at(-1)) ?? 1)
}

function product(dims: Shape): bigint {
  return dims.reduce((total, dim) => total * BigInt(dim), 1n)
}
