/** The weights of an epoch: six matrices a layer (protocol.md §2). */
import { concatBytes, utf8ToBytes } from '#shared/domain/bytes'
import type { Tier } from '#shared/domain/tiers'
import { fillKeystream, toOperands } from './keystream'

export const matrixNames = ['q', 'k', 'v', 'o', 'u', 'n'] as const
export type MatrixName = (typeof matrixNames)[number]

/** One layer, each matrix row-major: q, k, v, o are d×d, u is d×f, n is f×d. */
export type LayerWeights = Record<MatrixName, Int8Array>

/** [rows, columns] of a matrix. */
export function matrixShape(tier: Tier, name: MatrixName): [number, number] {
  if (name === 'u') return [tier.width, tier.hidden]
  if (name === 'n') return [tier.hidden, tier.width]
  return [tier.width, tier.width]
}

/** Fills `output` (rows·columns bytes) with operands of KS("weights", E ‖ byte(layer) ‖ name, rows·columns), row-major. */
export function expandMatrix(output: Uint8Array, epochSeed: Uint8Array, layer: number, name: MatrixName): Int8Array {
  fillKeystream(output, 'weights', concatBytes(epochSeed, Uint8Array.of(layer), utf8ToBytes(name)))
  return toOperands(output)
}

/** Every layer of an epoch. Takes seconds for the largest tier: call it off the event loop. */
export function expandWeights(tier: Tier, epochSeed: Uint8Array): LayerWeights[] {
  return Array.from({ length: tier.layers }, (_, layer) => {
    const matrix = (name: MatrixName): Int8Array => {
      const [rows, columns] = matrixShape(tier, name)
      return expandMatrix(new Uint8Array(rows * columns), epochSeed, layer, name)
    }
    return { q: matrix('q'), k: matrix('k'), v: matrix('v'), o: matrix('o'), u: matrix('u'), n: matrix('n') }
  })
}
