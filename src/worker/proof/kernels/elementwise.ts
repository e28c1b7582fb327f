/**
 * Between two matrix products: windows of sums, as WebAssembly. Of each sum the low 16 bits are given, which hold every
 * bit that is read. Operands are stored as value + 64, a byte in [0, 127]; adding 64 before the last mask therefore
 * gives the window in the same form: w(a, 8) + 64 = (bits 8…14 of a + 64) mod 128.
 */
import { i16x8, i32, i8x16, repeat, Scope, v128, type Code, type KernelFunction, type Local } from './assembler'

/** Operands in one vector. */
const STEP = 16
const SUM_BYTES = 2

/**
 * project(sums, rows, columns, destination, stride): rows×columns sums become w(sum, 8), row after row, `stride` bytes
 * apart. Columns: a multiple of 16.
 */
export function projectKernel(): KernelFunction {
  return rowsKernel('project', (halves) => windowed(narrowed(halves)))
}

/** expand(…): the same with t(w(sum, 8)). */
export function expandKernel(): KernelFunction {
  return rowsKernel('expand', (halves, scratch) => narrowed(halves.map((half) => trianglesOf(half, scratch))))
}

/** residual(sums, count, x): x becomes w(x + w(sum, 8), 0): in the stored form (x + bits 8…14 of the sum) mod 128. */
export function residualKernel(): KernelFunction {
  const scope = new Scope(3)
  const [sums, count, x] = [scope.parameter(0), scope.parameter(1), scope.parameter(2)]
  const index = scope.local('i32')
  const at = i32.add(x.get, index.get)
  const sumsAt = i32.add(sums.get, i32.multiply(index.get, i32.constant(SUM_BYTES)))
  const value = v128.and(i8x16.add(v128.load(at), narrowed(middleBits(sumsAt))), bytes(127))
  const code = repeat(index, i32.constant(0), count.get, STEP, [v128.store(at, value)])
  return { name: 'residual', parameters: 3, locals: scope.locals, code }
}

function rowsKernel(name: string, operandsOf: (halves: Code[], scratch: Local) => Code): KernelFunction {
  const scope = new Scope(5)
  const [sums, rows, columns, destination, stride] = [0, 1, 2, 3, 4].map((index) => scope.parameter(index))
  const [row, column, target] = [scope.local('i32'), scope.local('i32'), scope.local('i32')]
  const scratch = scope.local('v128')
  if (!sums || !rows || !columns || !destination || !stride) throw new Error('five parameters')
  const code = [
    ...target.set(destination.get),
    ...repeat(row, i32.constant(0), rows.get, 1, [
      repeat(column, i32.constant(0), columns.get, STEP, [
        v128.store(i32.add(target.get, column.get), operandsOf(middleBits(sums.get), scratch)),
        sums.set(i32.add(sums.get, i32.constant(STEP * SUM_BYTES))),
      ]),
      target.set(i32.add(target.get, stride.get)),
    ]),
  ]
  return { name, parameters: 5, locals: scope.locals, code }
}

/** Bits 8…14 of sixteen sums, as two vectors of 16-bit lanes. */
function middleBits(address: Code): Code[] {
  return [0, 16].map((offset) => i16x8.shiftRight(v128.and(v128.load(address, offset), lanes(0x7f00)), 8))
}

function narrowed(halves: Code[]): Code {
  return i8x16.narrowUnsigned(...halves)
}

function windowed(middle: Code): Code {
  return v128.and(i8x16.add(middle, bytes(64)), bytes(127))
}

/** (v(v + 1)/2) mod 128 with v = (middle + 64) mod 128, in 16-bit lanes: at most 127·128 before it is halved. */
function trianglesOf(middle: Code, v: Local): Code {
  const triangular = i16x8.multiply(v.get, i16x8.add(v.get, lanes(1)))
  return [
    ...v.set(v128.and(i16x8.add(middle, lanes(64)), lanes(127))),
    ...v128.and(i16x8.shiftRight(triangular, 1), lanes(127)),
  ]
}

/** Sixteen times the same byte. */
export function bytes(value: number): Code {
  return v128.constant(repeated([value]))
}

/** Eight times the same 16-bit value. */
export function lanes(value: number): Code {
  return v128.constant(repeated([value & 0xff, (value >> 8) & 0xff]))
}

function repeated(pattern: readonly number[]): number[] {
  return Array.from({ length: 16 }, (_, index) => pattern[index % pattern.length] ?? 0)
}
