/** The compiled kernels of one tier on one adapter, and the memory that its batches share. */
import type { Tier } from '#shared/domain/tiers'
import type { OpenAdapter } from './adapter'
import { attentionShader, FINISH, PRODUCT_TILE, productShader } from './kernels'
import { MATRIX_TILE_COLUMNS, matrixProductShader } from './matrix-kernel'
import { activationBytes, layerSteps, rowBytes, rowsFor, workgroupsOf, type Place, type Step } from './plan'

/** Memory for the activations of one batch at most, so that the weights of two epochs fit beside them. */
const MOST_ACTIVATION_BYTES = 256 * 1024 * 1024

export interface Program {
  /** the most nonces of one batch that fit into the adapter's memory */
  readonly mostNonces: number
  /** Reserves memory for batches of `nonces`. Batches that were submitted before are not affected. */
  reserve(nonces: number): void
  /** Submits one batch: `inputs` are operands row by row. `outputs` receives X of the last layer and can then be mapped. */
  submit(weights: readonly GPUBuffer[], inputs: Uint8Array<ArrayBuffer>, nonces: number, outputs: GPUBuffer): void
}

interface Compiled {
  step: Step
  pipeline: GPUComputePipeline
}

export async function createProgram({ device, packed, matrixUnit }: OpenAdapter, tier: Tier): Promise<Program> {
  const product = device.createShaderModule({
    code: matrixUnit === null ? productShader(packed) : matrixProductShader(matrixUnit),
  })
  const tileColumns = matrixUnit === null ? PRODUCT_TILE : MATRIX_TILE_COLUMNS
  const attention = device.createShaderModule({ code: attentionShader(packed) })
  const compile = async (step: Step): Promise<Compiled> => {
    const compute: GPUProgrammableStage =
      step.kind === 'attention'
        ? { module: attention, constants: { tokens: tier.tokens, width_words: tier.width / 4 } }
        : {
            module: product,
            constants: { inner_words: step.inner / 4, columns: step.columns, finish: FINISH[step.finish] },
          }
    return { step, pipeline: await device.createComputePipelineAsync({ layout: 'auto', compute }) }
  }
  const compiled = await Promise.all(layerSteps(tier).map(compile))
  let reserved = 0
  let places: Record<Place, GPUBuffer> | null = null

  const reserve = (nonces: number): void => {
    if (nonces <= reserved) return
    // Dawn keeps a destroyed buffer until the batches that use it are done.
    if (places) for (const buffer of Object.values(places)) buffer.destroy()
    const rows = rowsFor(tier, nonces)
    const bytes = rowBytes(tier)
    const place = (name: Place): GPUBuffer =>
      device.createBuffer({
        size: rows * bytes[name],
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
      })
    places = { x: place('x'), projected: place('projected'), mixed: place('mixed'), hidden: place('hidden') }
    reserved = nonces
  }

  return {
    mostNonces: mostNonces(device, tier),
    reserve,
    submit: (weights, inputs, nonces, outputs) => {
      reserve(nonces)
      if (!places) throw new Error('no memory is reserved')
      const memory = places
      device.queue.writeBuffer(memory.x, 0, inputs)
      const encoder = device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      for (const layer of weights) {
        for (const { step, pipeline } of compiled) {
          const buffers =
            step.kind === 'attention'
              ? [{ buffer: memory[step.from] }, { buffer: memory[step.to] }]
              : [
                  { buffer: memory[step.from] },
                  { buffer: layer, offset: step.offset, size: step.inner * step.columns },
                  { buffer: memory[step.to] },
                ]
          const entries = buffers.map((resource, binding) => ({ binding, resource }))
          pass.setPipeline(pipeline)
          pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
          pass.dispatchWorkgroups(...workgroupsOf(tier, step, nonces, tileColumns))
        }
      }
      pass.end()
      encoder.copyBufferToBuffer(memory.x, 0, outputs, 0, inputs.length)
      device.queue.submit([encoder.finish()])
    },
  }
}

function mostNonces({ limits }: GPUDevice, tier: Tier): number {
  const widest = Math.max(...Object.values(rowBytes(tier))) * tier.tokens
  const binding = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize)
  return Math.max(
    1,
    Math.min(
      Math.floor(MOST_ACTIVATION_BYTES / activationBytes(tier, 64)) * 64,
      Math.floor(binding / widest) - 64 / tier.tokens,
      limits.maxComputeWorkgroupsPerDimension,
    ),
  )
}
