/** The one ONNX graph that the onnx-cpu engine runs, made in memory. */
import onnxProto from 'onnx-proto'

/** ONNX element types (TensorProto.DataType). */
const UINT8 = 2
const INT8 = 3
const INT32 = 6

/** Operands are stored as value + 64. */
export const ZERO_POINT = 64

/**
 * Y = (A − 64)·B: MatMulInteger of uint8 rows×inner with int8 inner×columns, int32 sums. Both matrices are inputs, so
 * one session serves every layer and every epoch. uint8 with int8 is the pair that onnxruntime has fast kernels for.
 */
export function matrixProductGraph(): Uint8Array {
  const matrix = (name: string, elemType: number, dimensions: string[]) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: dimensions.map((dimParam) => ({ dimParam })) } } },
  })
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'matrix-product',
      node: [{ opType: 'MatMulInteger', input: ['A', 'B', 'zeroPoint'], output: ['Y'] }],
      initializer: [{ name: 'zeroPoint', dataType: UINT8, dims: [], rawData: Uint8Array.of(ZERO_POINT) }],
      input: [matrix('A', UINT8, ['rows', 'inner']), matrix('B', INT8, ['inner', 'columns'])],
      output: [matrix('Y', INT32, ['rows', 'columns'])],
    },
  }).finish()
}
