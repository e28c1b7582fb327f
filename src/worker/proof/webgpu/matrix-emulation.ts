/**
 * An emulated matrix unit: ordinary loops, in which each invocation of a subgroup computes its part of the sums. Tests on
 * computers without matrix units run the whole product with it, with the tiles, strides and windows of the real product.
 */
import { rowWords, type MatrixShape, type MatrixUnit } from './matrix-kernel'

/** A matrix unit that computes no sums, so that every digest is wrong. */
export function wrongUnit(): MatrixUnit {
  const unit = emulatedUnit({ rows: 16, columns: 16, inner: 32 }, 32)
  return { ...unit, code: { ...unit.code, accumulate: () => '' } }
}

export function emulatedUnit(shape: MatrixShape, subgroupSize: number): MatrixUnit {
  const { rows, columns, inner } = shape
  const own = (rows * columns) / subgroupSize
  const sums = `array<i32, ${own}>`
  const element = `lane + item * ${subgroupSize}u`
  const functions = `
var<private> lane: u32;
fn entered(index: u32) -> u32 {
  lane = index % ${subgroupSize}u;
  return index / ${subgroupSize}u;
}
fn accumulate(first_left: u32, first_right: u32, own_sums: ptr<function, ${sums}>) {
  for (var item = 0u; item < ${own}u; item++) {
    let element = ${element};
    let row = first_left + element / ${columns}u * ${rowWords(shape)}u;
    let column = first_right + element % ${columns}u * ${rowWords(shape)}u;
    var sum = 0;
    for (var word = 0u; word < ${inner / 4}u; word++) {
      sum += dot(unpack(bitcast<u32>(left[row + word])), unpack(bitcast<u32>(right[column + word])));
    }
    (*own_sums)[item] += sum;
  }
}
fn put(first: u32, own_sums: ptr<function, ${sums}>) {
  for (var item = 0u; item < ${own}u; item++) {
    sums[first + ${element}] = (*own_sums)[item];
  }
}`
  return {
    shape,
    subgroupSize,
    features: [],
    code: {
      directives: '',
      functions,
      parameters: '',
      subgroup: 'entered(index)',
      sums,
      left: (place) => place,
      right: (place) => place,
      accumulate: (left, right, name) => `accumulate(${left}, ${right}, &${name});`,
      store: (place, name) => `put(${place}, &${name});`,
    },
  }
}
