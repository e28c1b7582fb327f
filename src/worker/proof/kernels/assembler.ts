/**
 * A small WebAssembly assembler with the instructions that the proof's kernels use, as functions that nest like
 * expressions. Opcodes: WebAssembly core specification with the SIMD and relaxed SIMD chapters.
 */

/** Encoded instructions. An expression leaves one value on the stack, a statement none. */
export type Code = readonly number[]

/** A local variable of the function being written. */
export interface Local {
  readonly get: Code
  set(value: Code): Code
}

const VALUE_TYPES = { i32: 0x7f, v128: 0x7b } as const
export type ValueType = keyof typeof VALUE_TYPES

export interface KernelFunction {
  name: string
  /** number of i32 parameters */
  parameters: number
  code: Code
  locals: readonly ValueType[]
}

/** Hands out the locals of one function, its i32 parameters first. */
export class Scope {
  readonly locals: ValueType[] = []
  readonly #parameters: number

  constructor(parameters: number) {
    this.#parameters = parameters
  }

  parameter(index: number): Local {
    return localAt(index)
  }

  local(type: ValueType): Local {
    this.locals.push(type)
    return localAt(this.#parameters + this.locals.length - 1)
  }
}

export const i32 = {
  constant: (value: number): Code => [0x41, ...signedLeb(value)],
  add: (...terms: Code[]): Code => terms.reduce((sum, term) => [...sum, ...term, 0x6a]),
  multiply: (a: Code, b: Code): Code => [...a, ...b, 0x6c],
  subtract: (a: Code, b: Code): Code => [...a, ...b, 0x6b],
}

const vector =
  (opcode: number) =>
  (...operands: Code[]): Code => [...operands.flat(), 0xfd, ...leb(opcode)]
const memory =
  (opcode: number) =>
  (address: Code, offset = 0): Code => [...address, 0xfd, ...leb(opcode), 0, ...leb(offset)]
const bytesOfLanes = (bytes: readonly number[]): Code => {
  if (bytes.length !== 16) throw new RangeError('a vector has 16 bytes')
  return bytes
}

export const v128 = {
  load: memory(0x00),
  /** the two bytes at the address in each of eight lanes */
  load16Splat: memory(0x08),
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    0xfd,
    ...leb(0x0b),
    0,
    ...leb(offset),
  ],
  store16Lane: (address: Code, value: Code, lane: number, offset: number): Code =>
    [address, value, [0xfd], leb(0x59), [0], leb(offset), [lane]].flat(),
  constant: (bytes: readonly number[]): Code => [0xfd, 0x0c, ...bytesOfLanes(bytes)],
  and: vector(0x4e),
  shuffle: (a: Code, b: Code, lanes: readonly number[]): Code => [...a, ...b, 0xfd, 0x0d, ...bytesOfLanes(lanes)],
}
export const i8x16 = {
  add: vector(0x6e),
  subtract: vector(0x71),
  narrowSigned: vector(0x65),
  narrowUnsigned: vector(0x66),
}
export const i16x8 = {
  splat: vector(0x10),
  shiftRightSigned: (a: Code, bits: number): Code => vector(0x8c)(a, i32.constant(bits)),
  shiftRight: (a: Code, bits: number): Code => vector(0x8d)(a, i32.constant(bits)),
  add: vector(0x8e),
  subtract: vector(0x91),
  multiply: vector(0x95),
  lessOrEqual: vector(0x33),
  /** signed bytes times bytes in [0, 127], neighbouring products added: exact for such operands on every machine */
  dotSigned8Unsigned7: vector(0x112),
}
export const i32x4 = {
  /** neighbouring products of signed 16-bit lanes, added */
  dot: vector(0xba),
  lane: (a: Code, index: number): Code => [...a, 0xfd, 0x1b, index],
}

/** Runs `body` with counter = start, start + step, … below `end`, at least once. */
export function repeat(counter: Local, start: Code, end: Code, step: number, body: readonly Code[]): Code {
  const next = counter.set(i32.add(counter.get, i32.constant(step)))
  return [...counter.set(start), 0x03, 0x40, ...body.flat(), ...next, ...counter.get, ...end, 0x49, 0x0d, 0x00, 0x0b]
}

/** A module of `functions` over an imported memory `kernels.memory` of exactly `pages` pages of 64 KiB. */
export function assemble(functions: readonly KernelFunction[], pages: number): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [
    0x60,
    ...list(Array.from({ length: parameters }, () => [VALUE_TYPES.i32])),
    0,
  ])
  const bodies = functions.map(({ locals, code }) => {
    const body = [...list(locals.map((type) => [1, VALUE_TYPES[type]])), ...code, 0x0b]
    return [...leb(body.length), ...body]
  })
  return Uint8Array.from([
    ...MAGIC,
    ...section(1, list(types)),
    ...section(2, list([[...text('kernels'), ...text('memory'), 0x02, 0x01, ...leb(pages), ...leb(pages)]])),
    ...section(3, list(functions.map((_, index) => leb(index)))),
    ...section(7, list(functions.map(({ name }, index) => [...text(name), 0x00, ...leb(index)]))),
    ...section(10, list(bodies)),
  ])
}

/** "\0asm", version 1 */
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

function localAt(index: number): Local {
  return { get: [0x20, ...leb(index)], set: (value) => [...value, 0x21, ...leb(index)] }
}

function section(id: number, content: Code): Code {
  return [id, ...leb(content.length), ...content]
}

function list(items: readonly Code[]): Code {
  return [...leb(items.length), ...items.flat()]
}

function text(value: string): Code {
  return list(Array.from(value, (character) => [character.charCodeAt(0)]))
}

/** Unsigned LEB128. */
function leb(value: number): Code {
  const low = value & 0x7f
  return value < 0x80 ? [low] : [low | 0x80, ...leb(value >>> 7)]
}

/** Signed LEB128 of an int32. */
function signedLeb(value: number): Code {
  const low = value & 0x7f
  const rest = value >> 7
  const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
  return isLast ? [low] : [low | 0x80, ...signedLeb(rest)]
}
