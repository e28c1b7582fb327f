/** A GGUF file as data: its metadata, and its tensors by range. Every size in it is checked before it is believed. */
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { gguf } from '@huggingface/gguf'
import { Failure } from '#shared/domain/errors'
import { BLOCK_FORMATS, type BlockFormat } from './block-formats'

export interface GgufTensor {
  name: string
  /** as the product needs it: output features */
  rows: number
  /** input features: what lies together in the file */
  columns: number
  format: BlockFormat
  /** from the beginning of the file */
  offset: number
  bytes: number
}

export interface GgufFile {
  metadata: Readonly<Record<string, unknown>>
  /** Throws a Failure where the tensor is missing, or is not of that many columns. */
  tensor(name: string, columns?: number): GgufTensor
  has(name: string): boolean
  read(tensor: GgufTensor): Promise<Uint8Array>
  close(): Promise<void>
}

const MAGIC = 'GGUF'
/** No tensor of a model that Lode runs has more; a hostile header must not make room for it. */
const MAX_TENSOR_ELEMENTS = 2 ** 33
const MAX_TENSORS = 20_000

/** Throws a Failure `model-refused` that names the file and what is wrong with it. */
export async function openGguf(path: string): Promise<GgufFile> {
  const name = basename(path)
  const { size } = await stat(path)
  const file = await open(path)
  try {
    const start = new Uint8Array(4)
    await file.read(start, 0, 4, 0)
    if (new TextDecoder().decode(start) !== MAGIC) throw refuse(name, 'is not a GGUF file')
    const parsed = await parse(path, name)
    const tensors = new Map<string, GgufTensor>()
    if (parsed.tensorInfos.length > MAX_TENSORS) throw refuse(name, 'names too many tensors')
    for (const info of parsed.tensorInfos) {
      const tensor = placed(name, info, Number(parsed.tensorDataOffset))
      if (tensor === null) continue
      if (tensor.offset + tensor.bytes > size) throw refuse(name, `is cut short: ${info.name} ends after it`)
      tensors.set(info.name, tensor)
    }
    return {
      metadata: parsed.metadata as Record<string, unknown>,
      has: (wanted) => tensors.has(wanted),
      tensor: (wanted, columns) => {
        const found = tensors.get(wanted)
        if (!found) throw refuse(name, `has no tensor ${wanted} of a kind that Lode reads`)
        if (columns !== undefined && found.columns !== columns)
          throw refuse(name, `has ${wanted} with ${found.columns} columns where ${columns} are needed`)
        return found
      },
      read: (tensor) => readRange(file, name, tensor),
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

export function refuse(file: string, what: string): Failure {
  return new Failure('model-refused', `${file} ${what}`, 'Get the file again, or choose another model.')
}

async function parse(path: string, name: string): Promise<Awaited<ReturnType<typeof gguf>>> {
  try {
    return await gguf(path, { allowLocalFile: true })
  } catch (error) {
    throw refuse(name, `is damaged or cut short (${error instanceof Error ? error.message : String(error)})`)
  }
}

/** Null for a tensor in a format that Lode does not read: it is refused only where it is needed. */
function placed(
  file: string,
  info: { name: string; shape: bigint[]; dtype: number; offset: bigint },
  dataOffset: number,
): GgufTensor | null {
  const format = BLOCK_FORMATS[info.dtype]
  if (!format) return null
  const elements = info.shape.reduce((product, size) => product * size, 1n)
  const columns = Number(info.shape[0] ?? 0n)
  if (elements <= 0n || elements > MAX_TENSOR_ELEMENTS || info.offset < 0n || columns % format.elements !== 0)
    throw refuse(file, `gives ${info.name} an impossible size`)
  return {
    name: info.name,
    rows: Number(elements) / columns,
    columns,
    format,
    offset: dataOffset + Number(info.offset),
    bytes: (Number(elements) / format.elements) * format.bytes,
  }
}

async function readRange(file: FileHandle, name: string, { offset, bytes }: GgufTensor): Promise<Uint8Array> {
  const target = new Uint8Array(bytes)
  let done = 0
  while (done < bytes) {
    const { bytesRead } = await file.read(target, done, Math.min(bytes - done, 1 << 28), offset + done)
    if (bytesRead === 0) throw refuse(name, 'became shorter while it was read')
    done += bytesRead
  }
  return target
}
