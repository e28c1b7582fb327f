/** The reference as a backend of a compute thread. Layout: layer after layer, q k v o u n, each row-major. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { Tier } from '#shared/domain/tiers'
import type { ThreadBackend } from './thread-backend'
import { fillInput, outputDigest } from './nonce'
import { referenceForward } from './reference'
import { expandMatrix, matrixNames, matrixShape, type LayerWeights } from './weights'

export function createReferenceBackend(tier: Tier): ThreadBackend {
  return {
    expandLayer: (weights, epochSeed, layer) => {
      const matrices = layerBytes(tier, weights, layer)
      for (const name of matrixNames) expandMatrix(matrices[name], epochSeed, layer, name)
    },
    digests: async (weights, header, firstNonce, count, isCancelled) => {
      const startedAt = performance.now()
      const layers = Array.from({ length: tier.layers }, (_, layer) => asOperands(layerBytes(tier, weights, layer)))
      const digests = Array.from({ length: count }, (_, index) => {
        const nonce = firstNonce + BigInt(index)
        const input = fillInput(new Uint8Array(tier.tokens * tier.width), header, nonce)
        let values = input
        for (const layer of layers) {
          if (isCancelled?.() === true) throw new Failure('cancelled', message('work-cancelled'))
          values = referenceForward(tier, [layer], values)
        }
        return outputDigest(header, nonce, values)
      })
      return { digests, kernelMilliseconds: performance.now() - startedAt }
    },
  }
}

function layerBytes(tier: Tier, weights: SharedArrayBuffer, layer: number): Record<keyof LayerWeights, Uint8Array> {
  let offset = layer * (tier.weightBytes / tier.layers)
  const take = (name: keyof LayerWeights): Uint8Array => {
    const [rows, columns] = matrixShape(tier, name)
    const bytes = new Uint8Array(weights, offset, rows * columns)
    offset += rows * columns
    return bytes
  }
  return { q: take('q'), k: take('k'), v: take('v'), o: take('o'), u: take('u'), n: take('n') }
}

function asOperands(bytes: Record<keyof LayerWeights, Uint8Array>): LayerWeights {
  const signed = (values: Uint8Array): Int8Array => new Int8Array(values.buffer, values.byteOffset, values.length)
  return {
    q: signed(bytes.q),
    k: signed(bytes.k),
    v: signed(bytes.v),
    o: signed(bytes.o),
    u: signed(bytes.u),
    n: signed(bytes.n),
  }
}
