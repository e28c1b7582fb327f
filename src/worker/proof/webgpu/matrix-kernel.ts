/**
 * The product of the webgpu backend on a GPU's matrix units, where the adapter offers subgroup matrices of int8 with sums in
 * int32. Operands, weights and results have the same layout in memory as for the other product.
 *
 * The feature is experimental: https://dawn.googlesource.com/dawn/+/refs/heads/main/docs/dawn/features/subgroup_matrix.md
 */
import { ARITHMETIC, PRODUCT_INTERFACE, PRODUCT_TILE } from './kernels'

/** One product of the unit: `rows` × `inner` operands by `inner` × `columns` make `rows` × `columns` sums. */
export interface MatrixShape {
  rows: number
  columns: number
  inner: number
}

/** A shape that an adapter lists (GPUSubgroupMatrixConfig): M rows, N columns, inner dimension K. */
export interface ListedMatrix {
  readonly componentType: string
  readonly resultComponentType: string
  readonly M: number
  readonly N: number
  readonly K: number
}

/** Columns of the results that one workgroup computes; its rows are PRODUCT_TILE. */
export const MATRIX_TILE_COLUMNS = 128

/** Two by two subgroups compute the results of a workgroup, so many rows and columns each. */
const OWN_ROWS = 32
const OWN_COLUMNS = 64
const SUBGROUPS = 4
const LEAST_STEP_WORDS = 8
/** Padding after each row, so that rows that are loaded together lie in different banks. Rows stay aligned to 16 bytes. */
const PADDING_WORDS = 4
/** The limits of a workgroup that every adapter has. */
const MOST_INVOCATIONS = 256
const MOST_WORKGROUP_BYTES = 16_384

/** The largest listed shape that fits the kernel; null: none fits. `subgroupSize`: the largest of the adapter. */
export function fittingShape(listed: readonly ListedMatrix[], subgroupSize: number): MatrixShape | null {
  const macs = ({ rows, columns, inner }: MatrixShape): number => rows * columns * inner
  const shapes = listed
    .filter(({ componentType, resultComponentType }) => componentType === 'i8' && resultComponentType === 'i32')
    .map(({ M, N, K }): MatrixShape => ({ rows: M, columns: N, inner: K }))
    .filter((shape) => fits(shape, subgroupSize))
    .toSorted((one, other) => macs(other) - macs(one))
  return shapes[0] ?? null
}

function fits(shape: MatrixShape, subgroupSize: number): boolean {
  const { rows, columns, inner } = shape
  if (subgroupSize < 1 || SUBGROUPS * subgroupSize > MOST_INVOCATIONS) return false
  if (OWN_ROWS % rows > 0 || OWN_COLUMNS % columns > 0) return false
  if (columns % 4 > 0 || inner % 4 > 0 || (4 * stepWords(shape)) % inner > 0) return false
  const words = (PRODUCT_TILE + MATRIX_TILE_COLUMNS) * rowWords(shape) + SUBGROUPS * rows * columns
  return 4 * words <= MOST_WORKGROUP_BYTES
}

/** Words of the inner dimension that a workgroup holds at once. */
function stepWords({ inner }: MatrixShape): number {
  return Math.max(LEAST_STEP_WORDS, inner / 4)
}

/** Words from one row of `left`, or column of `right`, to the next. */
export function rowWords(shape: MatrixShape): number {
  return stepWords(shape) + PADDING_WORDS
}

/** WGSL code for the operations of a matrix unit. Places and strides count words of an array. */
export interface MatrixCode {
  /** directives at the top of the shader */
  directives: string
  /** functions, placed after the workgroup's memory `left`, `right` and `sums` */
  functions: string
  /** parameters of the entry point that `subgroup` needs */
  parameters: string
  /** the number of this subgroup in its workgroup */
  subgroup: string
  /** a type: `rows` × `columns` sums, zero at first */
  sums: string
  /** `rows` of `left`, `inner` operands each */
  left: (place: string) => string
  /** `columns` of `right`, `inner` operands each */
  right: (place: string) => string
  /** adds the product to the variable `sums` */
  accumulate: (left: string, right: string, sums: string) => string
  /** puts the sums down row by row, `columns` a row */
  store: (place: string, sums: string) => string
}

/** The matrix unit that computes products. */
export interface MatrixUnit {
  shape: MatrixShape
  /** the largest size that the adapter may choose; with smaller subgroups, those after the fourth only copy data */
  subgroupSize: number
  /** features to request from the adapter */
  features: readonly string[]
  code: MatrixCode
}

/** WGSL's subgroup matrices. The uniformity diagnostic is off because control flow differs between subgroups, but never within one. */
export function subgroupMatrices(shape: MatrixShape): MatrixCode {
  const { rows, columns, inner } = shape
  const stride = `${rowWords(shape)}u`
  return {
    directives: `enable subgroups;
enable chromium_experimental_subgroup_matrix;
requires subgroup_id;
diagnostic(off, chromium.subgroup_matrix_uniformity);`,
    functions: '',
    parameters: '@builtin(subgroup_id) subgroup_id: u32,',
    subgroup: 'subgroup_id',
    sums: `subgroup_matrix_result<i32, ${columns}, ${rows}>`,
    left: (place) =>
      `subgroupMatrixLoad<subgroup_matrix_left<i8, ${inner}, ${rows}>, row_major>(&left, ${place}, ${stride})`,
    right: (place) =>
      `subgroupMatrixLoad<subgroup_matrix_right<i8, ${columns}, ${inner}>, col_major>(&right, ${place}, ${stride})`,
    accumulate: (left, right, sums) => `${sums} = subgroupMatrixMultiplyAccumulate(${left}, ${right}, ${sums});`,
    store: (place, sums) => `subgroupMatrixStore<row_major>(&sums, ${place}, ${sums}, ${columns}u);`,
  }
}

/** The shader has the overrides and bindings of `productShader`. */
export function matrixProductShader({ shape, subgroupSize, code }: MatrixUnit): string {
  const { rows, columns, inner } = shape
  const step = stepWords(shape)
  const stride = rowWords(shape)
  const invocations = SUBGROUPS * subgroupSize
  const rowTiles = range(OWN_ROWS / rows)
  const columnTiles = range(OWN_COLUMNS / columns)
  const tiles = rowTiles.flatMap((row) => columnTiles.map((column) => ({ row, column, name: `sums_${row}_${column}` })))
  const innerTiles = range((4 * step) / inner)
  const tileWords = (rows * columns) / 4

  return `${code.directives}
${ARITHMETIC}
${PRODUCT_INTERFACE}
// row by row
var<workgroup> left: array<i32, ${PRODUCT_TILE * stride}>;
// column by column
var<workgroup> right: array<i32, ${MATRIX_TILE_COLUMNS * stride}>;
var<workgroup> sums: array<i32, ${SUBGROUPS * rows * columns}>;
${code.functions}
@compute @workgroup_size(${invocations})
fn product(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
  ${code.parameters}
) {
  let first_row = group.y * ${PRODUCT_TILE}u;
  let first_column = group.x * ${MATRIX_TILE_COLUMNS}u;
  let subgroup = ${code.subgroup};
  let computes = subgroup < ${SUBGROUPS}u;
  let own_left = subgroup / 2u * ${OWN_ROWS * stride}u;
  let own_right = subgroup % 2u * ${OWN_COLUMNS * stride}u;
${lines(tiles, ({ name }) => `  var ${name}: ${code.sums};`)}
  for (var word = 0u; word < inner_words; word += ${step}u) {
    for (var item = index; item < ${PRODUCT_TILE * step}u; item += ${invocations}u) {
      let row = item / ${step}u;
      left[row * ${stride}u + item % ${step}u] =
        bitcast<i32>(operands[(first_row + row) * inner_words + word + item % ${step}u]);
    }
    // four words down a column, so that they are written side by side
    for (var item = index; item < ${(MATRIX_TILE_COLUMNS * step) / 4}u; item += ${invocations}u) {
      let column = item % ${MATRIX_TILE_COLUMNS}u;
      let first = item / ${MATRIX_TILE_COLUMNS}u * 4u;
      let source = (word + first) * columns + first_column + column;
      let to = column * ${stride}u + first;
      right[to] = bitcast<i32>(weights[source]);
      right[to + 1u] = bitcast<i32>(weights[source + columns]);
      right[to + 2u] = bitcast<i32>(weights[source + 2u * columns]);
      right[to + 3u] = bitcast<i32>(weights[source + 3u * columns]);
    }
    workgroupBarrier();
    if (computes) {
${lines(
  innerTiles,
  (part) => `      {
${lines(rowTiles, (row) => `        let left_${row} = ${code.left(`own_left + ${row * rows * stride + (part * inner) / 4}u`)};`)}
${lines(
  columnTiles,
  (
    column,
  ) => `        let right_${column} = ${code.right(`own_right + ${column * columns * stride + (part * inner) / 4}u`)};
${lines(rowTiles, (row) => `        ${code.accumulate(`left_${row}`, `right_${column}`, `sums_${row}_${column}`)}`)}`,
)}
      }`,
)}
    }
    workgroupBarrier();
  }
${lines(
  tiles,
  ({ row, column, name }) => `  if (computes) {
    ${code.store(`subgroup * ${rows * columns}u`, name)}
  }
  workgroupBarrier();
  for (var item = index; item < ${SUBGROUPS * tileWords}u; item += ${invocations}u) {
    let owner = item / ${tileWords}u;
    let row = first_row + owner / 2u * ${OWN_ROWS}u + ${row * rows}u + item % ${tileWords}u / ${columns / 4}u;
    let column = first_column + owner % 2u * ${OWN_COLUMNS}u + ${column * columns}u + item % ${columns / 4}u * 4u;
    let source = item * 4u;
    finished(vec4<i32>(sums[source], sums[source + 1u], sums[source + 2u], sums[source + 3u]), (row * columns + column) / 4u);
  }
  workgroupBarrier();`,
)}
}
`
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

function lines<T>(items: readonly T[], line: (item: T) => string): string {
  return items.map(line).join('\n')
}
