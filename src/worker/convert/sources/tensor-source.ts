/** A model file as data: named tensors, read by range. What GGUF and safetensors have in common. */
import type { FileHandle } from 'node:fs/promises'
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import { decodeBlocks, type BlockFormat } from './block-formats'

export interface SourceTensor {
  name: string
  /** as a product needs it: output features; 1 for a vector */
  rows: number
  /** input features: what lies together in the file */
  columns: number
  format: BlockFormat
}

export interface TensorSource {
  /** the file that a refusal names */
  fileName: string
  has(name: string): boolean
  /** Throws a Failure where the tensor is missing, is in a format that Lode does not read, or is not of that many columns. */
  tensor(name: string, columns?: number): SourceTensor
  /** The bytes of some rows, of all without a range. */
  read(tensor: SourceTensor, firstRow?: number, rows?: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** No tensor of a model that Lode runs has more; a hostile header must not make room for it. */
export const MAX_TENSOR_ELEMENTS = 2 ** 33
export const MAX_TENSORS = 20_000

export function refuse(words: Message): Failure {
  return new Failure('model-refused', words)
}

/** All numbers of a tensor of exactly that many elements. Throws a Failure for another number of them. */
export async function readVector(source: TensorSource, name: string, size: number): Promise<Float32Array> {
  const tensor = source.tensor(name, size)
  if (tensor.rows !== 1)
    throw refuse(message('model-tensor-not-vector', { file: source.fileName, tensor: name, rows: tensor.rows }))
  return decodeBlocks(tensor.format, await source.read(tensor))
}

/** All numbers of a matrix. `rows`: how many it must have. */
export async function readMatrix(
  source: TensorSource,
  name: string,
  columns: number,
  rows?: number,
): Promise<{ rows: number; columns: number; values: Float32Array }> {
  const tensor = matrixTensor(source, name, columns, rows)
  return { rows: tensor.rows, columns, values: decodeBlocks(tensor.format, await source.read(tensor)) }
}

/** A tensor of exactly that shape. Throws a Failure for another one. */
export function matrixTensor(source: TensorSource, name: string, columns: number, rows?: number): SourceTensor {
  const tensor = source.tensor(name, columns)
  if (rows !== undefined && tensor.rows !== rows)
    throw refuse(message('model-tensor-rows', { file: source.fileName, tensor: name, rows: tensor.rows, wanted: rows }))
  return tensor
}

/** Reads `bytes` from `offset` on; throws a Failure when the file has fewer. */
export async function readRange(file: FileHandle, name: string, offset: number, bytes: number): Promise<Uint8Array> {
  const target = new Uint8Array(bytes)
  let done = 0
  while (done < bytes) {
    const { bytesRead } = await file.read(target, done, Math.min(bytes - done, 1 << 28), offset + done)
    if (bytesRead === 0) throw refuse(message('model-file-shrank', { file: name }))
    done += bytesRead
  }
  return target
}
