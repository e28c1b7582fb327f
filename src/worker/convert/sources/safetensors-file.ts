/**
 * Safetensors files as data: one file, or the parts that an index names. The header is a length (8 bytes, little-endian)
 * and JSON of that length; every size in it is checked before it is believed.
 * Source: the format's description in the safetensors repository (README, "Format").
 */
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
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
        if (tensors.has(name) || unread.has(name)) throw refuse(part, `has ${name.slice(0, 80)} a second time`)
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
      if (type !== undefined) throw refuse(fileName, `has ${name} as ${type}, which Lode does not read`)
      if (!found) throw refuse(fileName, `has no tensor ${name}`)
      if (columns !== undefined && found.columns !== columns)
        throw refuse(found.part, `has ${name} with ${found.columns} columns where ${columns} are needed`)
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
  if (size < 8) throw refuse(name, 'is cut short: it has no header')
  const start = await readRange(file, name, 0, 8)
  const length = new DataView(start.buffer).getBigUint64(0, true)
  if (length > MAX_HEADER_BYTES) throw refuse(name, `claims a header of ${length} bytes and is no safetensors file`)
  const begin = 8 + Number(length)
  if (begin > size) throw refuse(name, 'is cut short: its header ends after it')
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
    if (elementBytes === undefined) throw refuse(name, `has ${shown} as ${dtype}, which is no type of safetensors`)
    const elements = shape.reduce((product, next) => product * next, 1)
    if (elements > MAX_TENSOR_ELEMENTS || to - from !== elements * elementBytes)
      throw refuse(name, `gives ${shown} an impossible size`)
    if (begin + to > size) throw refuse(name, `is cut short: ${shown} ends after it`)
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
    throw refuse(name, 'has tensors that lie over one another')
  return result
}

function parseHeader(name: string, bytes: Uint8Array): [string, z.infer<typeof entry>][] {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw refuse(name, 'is damaged: its header is not JSON')
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw refuse(name, 'is damaged: its header names no tensors')
  const named = Object.entries(header).filter(([key]) => key !== '__metadata__')
  if (named.length === 0 || named.length > MAX_TENSORS) throw refuse(name, `names ${named.length} tensors`)
  return named.map(([tensor, value]) => {
    const parsed = entry.safeParse(value)
    if (!parsed.success) throw refuse(name, `is damaged: its header does not say what ${tensor.slice(0, 80)} is`)
    return [tensor, parsed.data]
  })
}
