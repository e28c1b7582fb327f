/**
 * A whole forward pass of ITP-1 (protocol.md §2) as one ONNX graph, for onnxruntime's providers: graphics processors and
 * other devices that a system's runtime drives. The graph is built in memory; the weights of an epoch are external data.
 */
import onnxProto from 'onnx-proto'
import type { Tier } from '#shared/domain/tiers'
import { matrixNames, matrixShape, type MatrixName } from '../weights'

/**
 * How the products with the weights are computed; both are exact. `float32`: seven-bit operands as float32, whose sums
 * stay within 2^24 (also where a chip multiplies in TF32). `int8`: MatMulInteger, where a provider has it.
 */
export type ProductArithmetic = 'float32' | 'int8'

/** The one file of external data that the graph names: the matrices of all layers, at the offsets of `weightOffset`. */
export const WEIGHTS_FILE = 'weights'

/** ONNX element types (TensorProto.DataType). */
const FLOAT = 1
const INT8 = 3
const INT64 = 7
/** AttributeProto.AttributeType */
const INTEGER_ATTRIBUTE = 2
const INTEGERS_ATTRIBUTE = 7
/** TensorProto.DataLocation */
const EXTERNAL = 1

type Node = NonNullable<onnxProto.onnx.IGraphProto['node']>[number]
type Initializer = NonNullable<onnxProto.onnx.IGraphProto['initializer']>[number]

/** The offset of a matrix in the weights, in bytes, one byte an operand: layer by layer, each matrix row-major. */
export function weightOffset(tier: Tier, layer: number, name: MatrixName): number {
  let offset = layer * (tier.weightBytes / tier.layers)
  for (const before of matrixNames) {
    if (before === name) break
    const [rows, columns] = matrixShape(tier, before)
    offset += rows * columns
  }
  return offset
}

/**
 * Input `X` and output `Y`: float32 [rows, d], operands as numbers; rows is a multiple of the tier's tokens, one nonce after
 * another.
 */
export function forwardPassGraph(tier: Tier, arithmetic: ProductArithmetic): Uint8Array {
  const build = createGraph(arithmetic)
  const { width, tokens, head } = tier
  const heads = width / head
  build.numbers('half', [0.5])
  build.numbers('turns', [1 / 128])
  build.numbers('span', [128])
  build.numbers('sixtyFour', [64])
  build.integers('splitHeads', [-1, tokens, heads, head])
  build.integers('joinHeads', [-1, width])
  build.numbers('causal', causalMask(tokens), [tokens, tokens])
  let x = 'X'
  for (let layer = 0; layer < tier.layers; layer++) {
    const at = (name: string): string => `${name}${layer}`
    const product = (from: string, name: MatrixName): string =>
      build.product(from, at(name), matrixShape(tier, name), weightOffset(tier, layer, name))
    const perHead = (from: string, order: number[]): string => {
      const split = build.node('Reshape', [from, 'splitHeads'])
      return build.node('Transpose', [split], [{ name: 'perm', type: INTEGERS_ATTRIBUTE, ints: order }])
    }
    const queries = perHead(build.window(product(x, 'q'), 8), [0, 2, 1, 3])
    const keys = perHead(build.window(product(x, 'k'), 8), [0, 2, 3, 1])
    const values = perHead(build.window(product(x, 'v'), 8), [0, 2, 1, 3])
    const scores = build.node('Mul', [build.window(build.node('MatMul', [queries, keys]), 7), 'causal'])
    const mixed = build.window(build.node('MatMul', [scores, values]), 4)
    const rows = build.node('Transpose', [mixed], [{ name: 'perm', type: INTEGERS_ATTRIBUTE, ints: [0, 2, 1, 3] }])
    const joined = build.node('Reshape', [rows, 'joinHeads'])
    x = build.residual(x, build.window(product(joined, 'o'), 8))
    const hidden = build.triangle(build.window(product(x, 'u'), 8))
    x = build.residual(x, build.window(product(hidden, 'n'), 8))
  }
  build.node('Identity', [x], [], 'Y')
  const matrix = (name: string) => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimParam: 'rows' }, { dimValue: width }] } } },
  })
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: tier.name,
      node: build.nodes,
      initializer: build.initializers,
      input: [matrix('X')],
      output: [matrix('Y')],
    },
  }).finish()
}

/** 1 where a position may attend to another, 0 for later positions. */
function causalMask(tokens: number): number[] {
  return Array.from({ length: tokens * tokens }, (_, index) => (index % tokens <= Math.floor(index / tokens) ? 1 : 0))
}

function createGraph(arithmetic: ProductArithmetic) {
  const nodes: Node[] = []
  const initializers: Initializer[] = []
  const known = new Set<string>()
  let count = 0

  const node = (
    opType: string,
    input: string[],
    attribute: NonNullable<Node['attribute']> = [],
    output = `t${count++}`,
  ): string => {
    nodes.push({ opType, input, output: [output], attribute })
    return output
  }
  const cast = (from: string, to: number): string =>
    node('Cast', [from], [{ name: 'to', type: INTEGER_ATTRIBUTE, i: to }])
  const numbers = (name: string, values: number[], dims: number[] = []): string => {
    if (!known.has(name)) initializers.push({ name, dataType: FLOAT, dims, floatData: values })
    known.add(name)
    return name
  }
  const integers = (name: string, values: number[]): void => {
    initializers.push({ name, dataType: INT64, dims: [values.length], int64Data: values })
  }
  /** a − 128·⌊a / 128 + ½⌋: the residue of an integer in [−64, 63]. */
  const wrap = (from: string): string => {
    const turns = node('Floor', [node('Add', [node('Mul', [from, 'turns']), 'half'])])
    return node('Sub', [from, node('Mul', [turns, 'span'])])
  }
  /** w(a, shift) = ((⌊a / 2^shift⌋ + 64) mod 128) − 64 */
  const window = (from: string, shift: number): string =>
    wrap(node('Floor', [node('Mul', [from, numbers(`shift${shift}`, [2 ** -shift])])]))

  return {
    nodes,
    initializers,
    node,
    numbers,
    integers,
    window,
    /** w(X + Y, 0) */
    residual: (x: string, y: string): string => wrap(node('Add', [x, y])),
    /** t(u) = ((v(v + 1) / 2) mod 128) − 64 with v = u + 64 */
    triangle: (from: string): string => {
      const v = node('Add', [from, 'sixtyFour'])
      const product = node('Mul', [node('Add', [node('Mul', [v, v]), v]), 'half'])
      // The window adds 64 before it wraps; the triangle does not, so 64 is subtracted.
      return wrap(node('Sub', [product, 'sixtyFour']))
    },
    /** Sums of A·B as float32; B int8 [rows, columns] from the external data. */
    product: (from: string, name: string, [rows, columns]: [number, number], offset: number): string => {
      initializers.push({
        name,
        dataType: INT8,
        dims: [rows, columns],
        dataLocation: EXTERNAL,
        externalData: [
          { key: 'location', value: WEIGHTS_FILE },
          { key: 'offset', value: String(offset) },
          { key: 'length', value: String(rows * columns) },
        ],
      })
      if (arithmetic === 'int8') return cast(node('MatMulInteger', [cast(from, INT8), name]), FLOAT)
      return node('MatMul', [from, node('DequantizeLinear', [name, numbers('one', [1])])])
    },
  }
}
