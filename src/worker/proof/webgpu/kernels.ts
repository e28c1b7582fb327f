/**
 * The WGSL of the webgpu backend. A word holds four operands, the first in the lowest byte: of an activation, four along its
 * row; of a weight matrix, four down its column. So one word of each gives four products.
 */

/** Rows and columns of the results that one workgroup of `product` computes. */
export const PRODUCT_TILE = 64
/** Words of the inner dimension that a workgroup holds at once. */
export const INNER_STEP_WORDS = 8
/** Invocations of a workgroup of either kernel. */
const INVOCATIONS = 256
const HEAD_WORDS = 16

/** What follows the window of a product's sums. */
export const FINISH = { plain: 0, triangle: 1, residual: 2 } as const
export type Finish = keyof typeof FINISH

/** `packed`: WGSL has dot4I8Packed here; otherwise shifts unpack the bytes, with the same results. */
export function productShader(packed: boolean): string {
  return `${start(packed)}
${PRODUCT_INTERFACE}
var<workgroup> left: array<u32, ${PRODUCT_TILE * INNER_STEP_WORDS}>;
var<workgroup> right: array<u32, ${PRODUCT_TILE * INNER_STEP_WORDS}>;

// sixteen results an invocation: four rows of four columns, which make one word a row
@compute @workgroup_size(16, 16)
fn product(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let first_row = group.y * ${PRODUCT_TILE}u;
  let first_column = group.x * ${PRODUCT_TILE}u;
  var sums: array<vec4<i32>, 4>;
  for (var word = 0u; word < inner_words; word += ${INNER_STEP_WORDS}u) {
    for (var item = index; item < ${PRODUCT_TILE * INNER_STEP_WORDS}u; item += ${INVOCATIONS}u) {
      left[item] =
        operands[(first_row + item / ${INNER_STEP_WORDS}u) * inner_words + word + (item % ${INNER_STEP_WORDS}u)];
      right[item] = weights[(word + item / ${PRODUCT_TILE}u) * columns + first_column + item % ${PRODUCT_TILE}u];
    }
    workgroupBarrier();
    for (var step = 0u; step < ${INNER_STEP_WORDS}u; step++) {
      let place = step * ${PRODUCT_TILE}u + local.x * 4u;
      let b = vec4<u32>(right[place], right[place + 1u], right[place + 2u], right[place + 3u]);
      for (var row = 0u; row < 4u; row++) {
        let a = left[(local.y * 4u + row) * ${INNER_STEP_WORDS}u + step];
        sums[row] += vec4<i32>(dot4(a, b.x), dot4(a, b.y), dot4(a, b.z), dot4(a, b.w));
      }
    }
    workgroupBarrier();
  }
  for (var row = 0u; row < 4u; row++) {
    let place = (first_row + local.y * 4u + row) * (columns / 4u) + first_column / 4u + local.x;
    finished(sums[row], place);
  }
}
`
}

/** One workgroup for each nonce and head: scores, window, their product with V, window. `projected` holds Q, K and V side by side. */
export function attentionShader(packed: boolean): string {
  return `${start(packed)}
override tokens: u32;
override width_words: u32;

@group(0) @binding(0) var<storage, read> projected: array<u32>;
@group(0) @binding(1) var<storage, read_write> mixed: array<u32>;

const head_words = ${HEAD_WORDS}u;
var<workgroup> keys: array<u32, 1024>;
// four rows of V to a word
var<workgroup> turned: array<u32, 1024>;
var<workgroup> scores: array<u32, 1024>;

@compute @workgroup_size(${INVOCATIONS})
fn attention(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let first_row = group.y * tokens;
  let row_words = 3u * width_words;
  let head = group.x * head_words;
  let row_groups = tokens / 4u;
  for (var item = index; item < tokens * head_words; item += ${INVOCATIONS}u) {
    keys[item] = projected[(first_row + item / head_words) * row_words + width_words + head + item % head_words];
  }
  for (var item = index; item < row_groups * head_words; item += ${INVOCATIONS}u) {
    let rows = first_row + item / head_words * 4u;
    let word = item % head_words;
    let place = rows * row_words + 2u * width_words + head + word;
    let r0 = unpack(projected[place]);
    let r1 = unpack(projected[place + row_words]);
    let r2 = unpack(projected[place + 2u * row_words]);
    let r3 = unpack(projected[place + 3u * row_words]);
    let to = item / head_words * head_words * 4u + word * 4u;
    turned[to] = pack(vec4<i32>(r0.x, r1.x, r2.x, r3.x));
    turned[to + 1u] = pack(vec4<i32>(r0.y, r1.y, r2.y, r3.y));
    turned[to + 2u] = pack(vec4<i32>(r0.z, r1.z, r2.z, r3.z));
    turned[to + 3u] = pack(vec4<i32>(r0.w, r1.w, r2.w, r3.w));
  }
  workgroupBarrier();
  for (var item = index; item < tokens * row_groups; item += ${INVOCATIONS}u) {
    let row = item / row_groups;
    let other = item % row_groups * 4u;
    let query = (first_row + row) * row_words + head;
    var sums = vec4<i32>();
    for (var word = 0u; word < head_words; word++) {
      let a = projected[query + word];
      let key = other * head_words + word;
      sums += vec4<i32>(
        dot4(a, keys[key]),
        dot4(a, keys[key + head_words]),
        dot4(a, keys[key + 2u * head_words]),
        dot4(a, keys[key + 3u * head_words]),
      );
    }
    // no token sees a later one
    let seen = vec4<u32>(other, other + 1u, other + 2u, other + 3u) <= vec4<u32>(row);
    scores[item] = pack(select(vec4<i32>(), window(sums, 7u), seen));
  }
  workgroupBarrier();
  for (var item = index; item < tokens * head_words; item += ${INVOCATIONS}u) {
    let row = item / head_words;
    let word = item % head_words;
    var sums = vec4<i32>();
    for (var step = 0u; step < row_groups; step++) {
      let a = scores[row * row_groups + step];
      let place = (step * head_words + word) * 4u;
      sums += vec4<i32>(
        dot4(a, turned[place]),
        dot4(a, turned[place + 1u]),
        dot4(a, turned[place + 2u]),
        dot4(a, turned[place + 3u]),
      );
    }
    mixed[(first_row + row) * width_words + head + word] = pack(window(sums, 4u));
  }
}
`
}

/** What both product shaders share: operands, weights, results, and the finishing of four sums. */
export const PRODUCT_INTERFACE = `override inner_words: u32;
override columns: u32;
override finish: u32;

@group(0) @binding(0) var<storage, read> operands: array<u32>;
@group(0) @binding(1) var<storage, read> weights: array<u32>;
@group(0) @binding(2) var<storage, read_write> results: array<u32>;

// \`place\`: of the word that four sums of a row become
fn finished(sums: vec4<i32>, place: u32) {
  var values = window(sums, 8u);
  if (finish == ${FINISH.triangle}u) {
    let v = values + 64;
    values = (((v * (v + 1)) >> vec4<u32>(1u)) & vec4<i32>(127)) - 64;
  }
  if (finish == ${FINISH.residual}u) {
    values = window(values + unpack(results[place]), 0u);
  }
  results[place] = pack(values);
}
`

/** Packing of operands in words, and the window. */
export const ARITHMETIC = `fn unpack(word: u32) -> vec4<i32> {
  return vec4<i32>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
fn pack(values: vec4<i32>) -> u32 {
  let bytes = vec4<u32>(values & vec4<i32>(255));
  return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}
// seven bits of the exact sum above its \`drop\` lowest
fn window(sums: vec4<i32>, drop: u32) -> vec4<i32> {
  return (((sums >> vec4<u32>(drop)) + 64) & vec4<i32>(127)) - 64;
}
`

function start(packed: boolean): string {
  const dot = packed
    ? 'fn dot4(a: u32, b: u32) -> i32 { return dot4I8Packed(a, b); }'
    : 'fn dot4(a: u32, b: u32) -> i32 { return dot(unpack(a), unpack(b)); }'
  return `${packed ? 'requires packed_4x8_integer_dot_product;' : ''}
${dot}
${ARITHMETIC}`
}
