/** The weights of an epoch in an adapter's memory, four operands down a column to a word. */
import { setImmediate } from 'node:timers/promises'
import type { Tier } from '#shared/domain/tiers'
import { expandMatrix, matrixShape } from '../weights'
import { layerSteps, type ProductStep } from './plan'

/** One buffer for each layer. Yields to other work between layers, because the largest tier has 201 MB. */
export async function uploadWeights(device: GPUDevice, tier: Tier, epochSeed: Uint8Array): Promise<GPUBuffer[]> {
  const products = layerSteps(tier).filter((step) => step.kind === 'product')
  const size = tier.weightBytes / tier.layers
  const words = new Uint32Array(size / 4)
  const buffers: GPUBuffer[] = []
  for (let layer = 0; layer < tier.layers; layer++) {
    for (const product of products) packProduct(tier, product, epochSeed, layer, words)
    const buffer = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST })
    device.queue.writeBuffer(buffer, 0, words)
    buffers.push(buffer)
    await setImmediate()
  }
  return buffers
}

function packProduct(tier: Tier, product: ProductStep, epochSeed: Uint8Array, layer: number, words: Uint32Array): void {
  let firstColumn = 0
  for (const name of product.matrices) {
    const [rows, columns] = matrixShape(tier, name)
    const values = expandMatrix(new Uint8Array(rows * columns), epochSeed, layer, name)
    for (let row = 0; row < rows; row += 4) {
      const from = row * columns
      const to = product.offset / 4 + (row / 4) * product.columns + firstColumn
      for (let column = 0; column < columns; column++) {
        const at = from + column
        words[to + column] =
          (values[at]! & 255) |
          ((values[at + columns]! & 255) << 8) |
          ((values[at + 2 * columns]! & 255) << 16) |
          (values[at + 3 * columns]! << 24)
      }
    }
    firstColumn += columns
  }
}
