/** Instruction sets that matter for this work: from the name on each system to the name that people know. */

/** [the system's name, the name for people], in the order of display */
const LINUX_X86: readonly (readonly [string, string])[] = [
  ['sse4_2', 'SSE4.2'],
  ['avx', 'AVX'],
  ['f16c', 'F16C'],
  ['fma', 'FMA3'],
  ['avx2', 'AVX2'],
  ['avx_vnni', 'AVX-VNNI'],
  ['avx_vnni_int8', 'AVX-VNNI-INT8'],
  ['avx512f', 'AVX-512'],
  ['avx512_vnni', 'AVX-512 VNNI'],
  ['avx512_bf16', 'AVX-512 BF16'],
  ['avx512_fp16', 'AVX-512 FP16'],
  ['amx_int8', 'AMX INT8'],
  ['amx_bf16', 'AMX BF16'],
]
const LINUX_ARM: readonly (readonly [string, string])[] = [
  ['neon', 'NEON'],
  ['asimd', 'NEON'],
  ['asimdhp', 'NEON FP16'],
  ['asimddp', 'NEON dotprod'],
  ['i8mm', 'i8mm'],
  ['bf16', 'BF16'],
  ['sve', 'SVE'],
  ['sve2', 'SVE2'],
  ['sme', 'SME'],
]
const MACOS_ARM: readonly (readonly [string, string])[] = [
  ['hw.optional.neon', 'NEON'],
  ['hw.optional.arm.FEAT_FP16', 'NEON FP16'],
  ['hw.optional.arm.FEAT_DotProd', 'NEON dotprod'],
  ['hw.optional.arm.FEAT_I8MM', 'i8mm'],
  ['hw.optional.arm.FEAT_BF16', 'BF16'],
  ['hw.optional.arm.FEAT_SME', 'SME'],
]
const MACOS_X86: readonly (readonly [string, string])[] = [
  ['sse4.2', 'SSE4.2'],
  ['avx1.0', 'AVX'],
  ['f16c', 'F16C'],
  ['fma', 'FMA3'],
  ['avx2', 'AVX2'],
  ['avx512f', 'AVX-512'],
  ['avx512vnni', 'AVX-512 VNNI'],
]

/** From the words of `flags` (x86) or `Features` (ARM) in /proc/cpuinfo. */
export function fromLinuxFlags(flags: string): string[] {
  const words = new Set(flags.toLowerCase().split(/\s+/))
  return named([...LINUX_X86, ...LINUX_ARM], (word) => words.has(word))
}

/** From the names and values of sysctl: a list of features on Intel's processors, one name for each feature on Apple's. */
export function fromSysctl(values: ReadonlyMap<string, string>): string[] {
  const features = `${values.get('machdep.cpu.features') ?? ''} ${values.get('machdep.cpu.leaf7_features') ?? ''}`
  const words = new Set(features.toLowerCase().split(/\s+/))
  return [...named(MACOS_X86, (word) => words.has(word)), ...named(MACOS_ARM, (name) => values.get(name) === '1')]
}

function named(table: readonly (readonly [string, string])[], has: (word: string) => boolean): string[] {
  return [...new Set(table.filter(([word]) => has(word)).map(([, name]) => name))]
}
