/** A GGUF file as data: its metadata, and its tensors by range. Every size in it is checked before it is believed. */
import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { gguf } from '@huggingface/gguf'
import { message } from '#shared/domain/messages'
import { BLOCK_FORMATS } from './block-formats'
import {
  MAX_TENSORS,
  MAX_TENSOR_ELEMENTS,
  readRange,
  refuse,
  type SourceTensor,
  type TensorSource,
} from './tensor-source'

export interface GgufFile extends TensorSource {
  metadata: Readonly<Record<string, unknown>>
}

interface Placed extends SourceTensor {
  /** from the beginning of the file */
  offset: number
}

const MAGIC = 'GGUF'

/** Throws a Failure `model-refused` that names the file and what is wrong with it. */
export async function openGguf(path: string): Promise<GgufFile> {
  const name = basename(path)
  const { size } = await stat(path)
  const file = await open(path)
  try {
    const start = new Uint8Array(4)
    await file.read(start, 0, 4, 0)
    if (new TextDecoder().decode(start) !== MAGIC) throw refuse(message('model-not-gguf', { file: name }))
    const parsed = await parse(path, name)
    // The parser reads nothings after the end, and so invents an end of the header.
    if (parsed.tensorDataOffset > size) throw refuse(message('model-cut-header', { file: name }))
    const tensors = new Map<string, Placed>()
    if (parsed.tensorInfos.length > MAX_TENSORS) throw refuse(message('model-too-many-tensors', { file: name }))
    for (const info of parsed.tensorInfos) {
      const tensor = placed(name, info, Number(parsed.tensorDataOffset))
      if (tensor === null) continue
      if (tensor.offset + tensor.rows * rowBytes(tensor) > size)
        throw refuse(message('model-cut-tensor', { file: name, tensor: info.name.slice(0, 80) }))
      tensors.set(info.name, tensor)
    }
    return {
      fileName: name,
      metadata: parsed.metadata as Record<string, unknown>,
      has: (wanted) => tensors.has(wanted),
      tensor: (wanted, columns) => {
        const found = tensors.get(wanted)
        if (!found) throw refuse(message('model-no-tensor-readable', { file: name, tensor: wanted }))
        if (columns !== undefined && found.columns !== columns)
          throw refuse(
            message('model-tensor-columns', { file: name, tensor: wanted, columns: found.columns, wanted: columns }),
          )
        return found
      },
      read: (tensor, firstRow = 0, rows = tensor.rows) => {
        const { offset } = tensors.get(tensor.name)!
        return readRange(file, name, offset + firstRow * rowBytes(tensor), rows * rowBytes(tensor))
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

const rowBytes = ({ columns, format }: SourceTensor): number => (columns / format.elements) * format.bytes

async function parse(path: string, name: string): Promise<Awaited<ReturnType<typeof gguf>>> {
  try {
    return await gguf(path, { allowLocalFile: true })
  } catch (error) {
    throw refuse(
      message('model-damaged-or-cut', { file: name, words: error instanceof Error ? error.message : String(error) }),
    )
  }
}

/** Null for a tensor in a format that Lode does not read: it is refused only where it is needed. */
function placed(
  file: string,
  info: { name: string; shape: bigint[]; dtype: number; offset: bigint },
  dataOffset: number,
): Placed | null {
  const format = BLOCK_FORMATS[info.dtype]
  if (!format) return null
  const elements = info.shape.reduce((product, size) => product * size, 1n)
  const columns = Number(info.shape[0] ?? 0n)
  if (elements <= 0n || elements > MAX_TENSOR_ELEMENTS || info.offset < 0n || columns % format.elements !== 0)
    throw refuse(message('model-tensor-impossible', { file, tensor: info.name.slice(0, 80) }))
  return {
    name: info.name,
    rows: Number(elements) / columns,
    columns,
    format,
    offset: dataOffset + Number(info.offset),
  }
}
