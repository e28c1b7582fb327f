/** The one ONNX graph that the onnx-cpu backend runs, built in memory. */
import onnxProto from 'onnx-proto'

/** ONNX element types (TensorProto.DataType). */
const UINT8 = 2
const INT8 = 3
const INT16 = 5
const INT32 = 6
/** AttributeProto.AttributeType of an integer */
const INTEGER = 2

/** Operands are stored as value + 64. */
export const ZERO_POINT = 64

/**
 * Y = (A − 64)·B: MatMulInteger of uint8 rows×inner with int8 inner×columns. Both matrices are inputs, so one session
 * serves every layer and every epoch. onnxruntime has fast kernels for uint8 with int8 only.
 *
 * `int32`: the sums. `int16`: their low 16 bits (int32 to int16 keeps them), which hold every bit that a window reads;
 * onnxruntime-node copies what a session returns, so int16 halves the copying.
 */
export function matrixProductGraph(sums: 'int16' | 'int32'): Uint8Array {
  const matrix = (name: string, elemType: number, dimensions: string[]) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: dimensions.map((dimParam) => ({ dimParam })) } } },
  })
  const product = { opType: 'MatMulInteger', input: ['A', 'B', 'zeroPoint'] }
  const narrow = {
    opType: 'Cast',
    input: ['sums'],
    output: ['Y'],
    attribute: [{ name: 'to', type: INTEGER, i: INT16 }],
  }
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'matrix-product',
      node: sums === 'int16' ? [{ ...product, output: ['sums'] }, narrow] : [{ ...product, output: ['Y'] }],
      initializer: [{ name: 'zeroPoint', dataType: UINT8, dims: [], rawData: Uint8Array.of(ZERO_POINT) }],
      input: [matrix('A', UINT8, ['rows', 'inner']), matrix('B', INT8, ['inner', 'columns'])],
      output: [matrix('Y', sums === 'int16' ? INT16 : INT32, ['rows', 'columns'])],
    },
  }).finish()
}
