/** The proof's integer kernels between matrix products: assembled for one tier, over memory that matrix products share. */
import type { Tier } from '#shared/domain/tiers'
import { assemble, type KernelFunction } from './assembler'
import { attentionKernel, attentionScratchBytes } from './attention'
import { expandKernel, projectKernel, residualKernel } from './elementwise'

export { attentionScratchBytes }

/** All arguments are byte addresses, counts or strides in `memory`. Operands are stored as value + 64. */
export interface Kernels {
  /** rows×columns sums → w(sum, 8), rows `stride` bytes apart */
  project(sums: number, rows: number, columns: number, destination: number, stride: number): void
  /** the same → t(w(sum, 8)) */
  expand(sums: number, rows: number, columns: number, destination: number, stride: number): void
  /** x → w(x + w(sum, 8), 0), `count` contiguous operands */
  residual(sums: number, count: number, x: number): void
  /** one head of one nonce; q, k, v rows are 3·width bytes apart, output rows width bytes */
  attention(query: number, key: number, value: number, output: number, scratch: number): void
}

/** `memory` has a fixed size of whole pages. Throws when this runtime lacks relaxed SIMD: every supported one has it. */
export function createKernels(tier: Tier, memory: WebAssembly.Memory): Kernels {
  const functions: KernelFunction[] = [
    projectKernel(),
    expandKernel(),
    residualKernel(),
    attentionKernel(tier.tokens, 3 * tier.width, tier.width),
  ]
  const module = new WebAssembly.Module(assemble(functions, memory.buffer.byteLength / PAGE_BYTES))
  const instance = new WebAssembly.Instance(module, { kernels: { memory } })
  return instance.exports as unknown as Kernels
}

/** WebAssembly memory comes in pages of this size. */
export const PAGE_BYTES = 65_536
