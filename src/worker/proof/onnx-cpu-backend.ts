/**
 * The onnx-cpu backend of a compute thread: matrix products with onnxruntime's MatMulInteger on that one thread, and
 * everything between them with our integer kernels over the same memory. Several nonces are computed at once as rows of the same products.
 */
import type { Tensor } from 'onnxruntime-node'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { Tier } from '#shared/domain/tiers'
import { batchNonces, type ThreadBackend } from './thread-backend'
import { attentionScratchBytes, createKernels, PAGE_BYTES, type Kernels } from './kernels/index'
import { toOperands } from './keystream'
import { fillInput, outputDigest } from './nonce'
import { matrixProductGraph, ZERO_POINT } from './onnx-graph'
import { expandLayer, layerProducts, panelsOf, type LayerProducts, type Product } from './panels'

/** Computes sums = (A − 64)·B. Shapes: A rows×product.rows at the address `operands`, B one panel, sums rows×panelColumns. */
type MultiplyPanel = (operands: number, rows: number, product: Product, panel: Int8Array) => Promise<void>

export async function createOnnxCpuBackend(tier: Tier): Promise<ThreadBackend> {
  const mostNonces = batchNonces('onnx-cpu', tier)
  const places = placesFor(tier, mostNonces * tier.tokens)
  const pages = Math.ceil(places.end / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const pass: ForwardPass = {
    tier,
    places,
    products: layerProducts(tier),
    kernels: createKernels(tier, memory),
    multiply: await createMultiply(memory, places.sums),
  }
  const layerBytes = tier.weightBytes / tier.layers
  const layerAt = (weights: SharedArrayBuffer, layer: number): Int8Array =>
    new Int8Array(weights, layer * layerBytes, layerBytes)

  return {
    expandLayer: (weights, epochSeed, layer) => expandLayer(tier, layerAt(weights, layer), epochSeed, layer),
    digests: async (weights, header, firstNonce, count, isCancelled) => {
      if (count > mostNonces) throw new RangeError(`at most ${mostNonces} nonces at once`)
      const rowsOf = (index: number): Uint8Array =>
        new Uint8Array(memory.buffer, places.x + index * tier.tokens * tier.width, tier.tokens * tier.width)
      for (let index = 0; index < count; index++)
        storeOperands(fillInput(rowsOf(index), header, firstNonce + BigInt(index)))
      const startedAt = performance.now()
      for (let layer = 0; layer < tier.layers; layer++) {
        if (isCancelled?.() === true) throw new Failure('cancelled', message('work-cancelled'))
        await runLayer(pass, layerAt(weights, layer), count)
      }
      const kernelMilliseconds = performance.now() - startedAt
      const digests = Array.from({ length: count }, (_, index) =>
        outputDigest(header, firstNonce + BigInt(index), toOperands(rowsOf(index))),
      )
      return { digests, kernelMilliseconds }
    },
  }
}

interface ForwardPass {
  tier: Tier
  places: Places
  products: LayerProducts
  kernels: Kernels
  multiply: MultiplyPanel
}

/** Computes one layer of protocol.md §2 for `nonces` inputs at once, and replaces X. */
async function runLayer(
  { tier, places, products, kernels, multiply }: ForwardPass,
  weights: Int8Array,
  nonces: number,
): Promise<void> {
  const { width, hidden, tokens, head } = tier
  const rows = nonces * tokens
  /** Computes the sums of each panel; `reduce` reduces them to operands while they are in the processor's cache. */
  const eachPanel = async (
    from: number,
    product: Product,
    reduce: (firstColumn: number, columns: number) => void,
  ): Promise<void> => {
    for (const [index, panel] of panelsOf(product, weights).entries()) {
      await multiply(from, rows, product, panel)
      reduce(index * product.panelColumns, product.panelColumns)
    }
  }
  await eachPanel(places.x, products.attention, (first, columns) => {
    kernels.project(places.sums, rows, columns, places.queries + first, 3 * width)
  })
  for (let nonce = 0; nonce < nonces; nonce++) {
    for (let first = 0; first < width; first += head) {
      const query = places.queries + nonce * tokens * 3 * width + first
      const output = places.mixed + nonce * tokens * width + first
      kernels.attention(query, query + width, query + 2 * width, output, places.scratch)
    }
  }
  await eachPanel(places.mixed, products.output, () => kernels.residual(places.sums, rows * width, places.x))
  await eachPanel(places.x, products.expand, (first, columns) => {
    kernels.expand(places.sums, rows, columns, places.hidden + first, hidden)
  })
  await eachPanel(places.hidden, products.contract, () => kernels.residual(places.sums, rows * width, places.x))
}

/** Byte addresses in the thread's memory. */
interface Places {
  /** rows×d operands */
  x: number
  /** rows×3d operands: Q, K, V side by side */
  queries: number
  /** rows×d operands */
  mixed: number
  /** rows×f operands */
  hidden: number
  /** rows×panelColumns int16 */
  sums: number
  /** of one head's attention */
  scratch: number
  end: number
}

function placesFor(tier: Tier, rows: number): Places {
  const { attention, output, expand, contract } = layerProducts(tier)
  const widestPanel = Math.max(...[attention, output, expand, contract].map((product) => product.panelColumns))
  let end = 0
  const place = (bytes: number): number => {
    const start = end
    end = Math.ceil((start + bytes) / 64) * 64
    return start
  }
  return {
    x: place(rows * tier.width),
    queries: place(rows * 3 * tier.width),
    mixed: place(rows * tier.width),
    hidden: place(rows * tier.hidden),
    sums: place(rows * widestPanel * Int16Array.BYTES_PER_ELEMENT),
    scratch: place(attentionScratchBytes(tier.tokens)),
    end,
  }
}

async function createMultiply(memory: WebAssembly.Memory, sums: number): Promise<MultiplyPanel> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  const session = await InferenceSession.create(matrixProductGraph('int16'), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  })
  return async (operands, rows, product, panel) => {
    const { panelColumns } = product
    const A: Tensor = new Tensor('uint8', new Uint8Array(memory.buffer, operands, rows * product.rows), [
      rows,
      product.rows,
    ])
    const B: Tensor = new Tensor('int8', panel, [product.rows, panelColumns])
    const Y: Tensor = new Tensor('int16', new Int16Array(memory.buffer, sums, rows * panelColumns), [
      rows,
      panelColumns,
    ])
    await session.run({ A, B }, { Y })
  }
}

/** Operands in place from signed bytes to their stored form. */
function storeOperands(operands: Int8Array): void {
  for (let index = 0; index < operands.length; index++) operands[index] = operands[index]! + ZERO_POINT
}
