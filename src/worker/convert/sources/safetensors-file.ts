/**
 * Safetensors files as data: one file, or the parts that an index names. The header is a length (8 bytes, little-endian)
 * and JSON of that length; every size in it is checked before it is believed.
 * Source: the format's description in the safetensors repository (README, "Format").
 */
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
import { message } from '#shared/domain/messages'
import { BLOCK_FORMATS, type BlockFormat } from './block-formats'
import {
  MAX_TENSORS,
  MAX_TENSOR_ELEMENTS,
  readRange,
  refuse,
  type SourceTensor,
  type TensorSource,
} from './tensor-source'

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000
const MAX_DIMENSIONS = 8

const FORMATS: Readonly<Record<string, BlockFormat>> = Object.fromEntries(
  Object.values(BLOCK_FORMATS)
    .filter((format) => format.elements === 1)
    .map((format) => [format.name, format]),
)
/** Bytes of an element of the types that are not read: their place in the file is checked all the same. */
const OTHER_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
}

const whole = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const entry = z.object({
  dtype: z.string().max(32),
  shape: z.array(whole).max(MAX_DIMENSIONS),
  data_offsets: z.tuple([whole, whole]),
})

interface Placed extends SourceTensor {
  file: FileHandle
  part: string
  /** from the beginning of the file */
  offset: number
}

/** `paths`: the files that together have all tensors. Throws a Failure `model-refused` that names the file and what is wrong with it. */
export async function openSafetensors(paths: readonly string[]): Promise<TensorSource> {
  const files: FileHandle[] = []
  const close = async (): Promise<void> => void (await Promise.all(files.map((file) => file.close())))
  const tensors = new Map<string, Placed>()
  const unread = new Map<string, string>()
  const fileName = basename(paths[0] ?? 'model.safetensors')
  try {
    for (const path of paths) {
      const part = basename(path)
      const file = await open(path)
      files.push(file)
      for (const [name, tensor] of await readHeader(file, part, (await stat(path)).size)) {
        if (tensors.has(name) || unread.has(name))
          throw refuse(message('model-tensor-twice', { file: part, tensor: name.slice(0, 80) }))
        if (typeof tensor === 'string') unread.set(name, tensor)
        else tensors.set(name, { ...tensor, file, part })
      }
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    fileName,
    has: (name) => tensors.has(name) || unread.has(name),
    tensor: (name, columns) => {
      const found = tensors.get(name)
      const type = unread.get(name)
      if (type !== undefined) throw refuse(message('model-tensor-type', { file: fileName, tensor: name, type }))
      if (!found) throw refuse(message('model-no-tensor', { file: fileName, tensor: name }))
      if (columns !== undefined && found.columns !== columns)
        throw refuse(
          message('model-tensor-columns', { file: found.part, tensor: name, columns: found.columns, wanted: columns }),
        )
      return found
    },
    read: (tensor, firstRow = 0, rows = tensor.rows) => {
      const placed = tensors.get(tensor.name)!
      const rowBytes = tensor.columns * tensor.format.bytes
      return readRange(placed.file, placed.part, placed.offset + firstRow * rowBytes, rows * rowBytes)
    },
    close,
  }
}

/** Every tensor with its place; of one in a type that is not read, the type. */
async function readHeader(
  file: FileHandle,
  name: string,
  size: number,
): Promise<[name: string, tensor: Omit<Placed, 'file' | 'part'> | string][]> {
  if (size < 8) throw refuse(message('model-no-header', { file: name }))
  const start = await readRange(file, name, 0, 8)
  const length = new DataView(start.buffer).getBigUint64(0, true)
  if (length > MAX_HEADER_BYTES) throw refuse(message('model-header-too-long', { file: name, bytes: Number(length) }))
  const begin = 8 + Number(length)
  if (begin > size) throw refuse(message('model-cut-header', { file: name }))
  const entries = parseHeader(name, await readRange(file, name, 8, Number(length)))
  const result: [string, Omit<Placed, 'file' | 'part'> | string][] = []
  const places: [from: number, to: number][] = []
  for (const [
    tensor,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of entries) {
    const shown = tensor.slice(0, 80)
    const format = FORMATS[dtype]
    const elementBytes = format?.bytes ?? OTHER_BYTES[dtype]
    if (elementBytes === undefined)
      throw refuse(message('model-tensor-type-unknown', { file: name, tensor: shown, type: dtype }))
    const elements = shape.reduce((product, next) => product * next, 1)
    if (elements > MAX_TENSOR_ELEMENTS || to - from !== elements * elementBytes)
      throw refuse(message('model-tensor-impossible', { file: name, tensor: shown }))
    if (begin + to > size) throw refuse(message('model-cut-tensor', { file: name, tensor: shown }))
    if (to > from) places.push([from, to])
    const columns = shape.at(-1) ?? 1
    result.push([
      tensor,
      format && elements > 0
        ? { name: tensor, rows: elements / columns, columns, format, offset: begin + from }
        : dtype,
    ])
  }
  places.sort(([one], [other]) => one - other)
  if (places.some(([from], index) => from < (places[index - 1]?.[1] ?? 0)))
    throw refuse(message('model-tensors-overlap', { file: name }))
  return result
}

function parseHeader(name: string, bytes: Uint8Array): [string, z.infer<typeof entry>][] {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw refuse(message('model-header-not-json', { file: name }))
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw refuse(message('model-header-without-tensors', { file: name }))
  const named = Object.entries(header).filter(([key]) => key !== '__metadata__')
  if (named.length === 0 || named.length > MAX_TENSORS)
    throw refuse(message('model-tensor-count', { file: name, count: named.length }))
  return named.map(([tensor, value]) => {
    const parsed = entry.safeParse(value)
    if (!parsed.success) throw refuse(message('model-header-unclear', { file: name, tensor: tensor.slice(0, 80) }))
    return [tensor, parsed.data]
  })
}
