/** The dispatches of the webgpu backend for one batch: their sizes, multiply-accumulates and bytes. */
import type { Tier } from '#shared/domain/tiers'
import { matrixShape, type MatrixName } from '../weights'
import { PRODUCT_TILE, type Finish } from './kernels'

/** The buffers of activations in the adapter's memory. */
export type Place = 'x' | 'projected' | 'mixed' | 'hidden'

export interface ProductStep {
  kind: 'product'
  name: 'projections' | 'output' | 'expand' | 'contract'
  /** the matrices whose columns stand side by side */
  matrices: readonly MatrixName[]
  from: Place
  to: Place
  finish: Finish
  inner: number
  columns: number
  /** bytes from the start of the layer's weights */
  offset: number
}
export interface AttentionStep {
  kind: 'attention'
  name: 'attention'
  from: Place
  to: Place
}
export type Step = ProductStep | AttentionStep

/** The five dispatches of a layer, in order. */
export function layerSteps(tier: Tier): Step[] {
  let offset = 0
  const product = (
    name: ProductStep['name'],
    matrices: readonly MatrixName[],
    from: Place,
    to: Place,
    finish: Finish,
  ): ProductStep => {
    const shapes = matrices.map((matrix) => matrixShape(tier, matrix))
    const inner = shapes[0]?.[0] ?? 0
    const columns = shapes.reduce((sum, shape) => sum + shape[1], 0)
    const step = { kind: 'product', name, matrices, from, to, finish, inner, columns, offset } as const
    offset += inner * columns
    return step
  }
  return [
    product('projections', ['q', 'k', 'v'], 'x', 'projected', 'plain'),
    { kind: 'attention', name: 'attention', from: 'projected', to: 'mixed' },
    product('output', ['o'], 'mixed', 'x', 'residual'),
    product('expand', ['u'], 'x', 'hidden', 'triangle'),
    product('contract', ['n'], 'hidden', 'x', 'residual'),
  ]
}

/** Bytes of one row in each buffer. */
export function rowBytes(tier: Tier): Record<Place, number> {
  return { x: tier.width, projected: 3 * tier.width, mixed: tier.width, hidden: tier.hidden }
}

/** Rows that are computed for `nonces`, in whole tiles. */
export function rowsFor(tier: Tier, nonces: number): number {
  return Math.ceil((nonces * tier.tokens) / PRODUCT_TILE) * PRODUCT_TILE
}

/** Bytes of the adapter's memory that a batch takes beside the weights. */
export function activationBytes(tier: Tier, nonces: number): number {
  const places = Object.values(rowBytes(tier)).reduce((sum, bytes) => sum + bytes, 0)
  return rowsFor(tier, nonces) * places
}

export interface StepCost {
  name: Step['name']
  workgroups: [columns: number, rows: number]
  /** for the nonces of the batch, counted as in the tier */
  macs: number
  /** bytes that move if every tile is read from memory once and from a cache afterwards */
  leastBytes: number
  /** bytes that the workgroups request, each for its own tiles */
  askedBytes: number
}

/** The costs of one layer's dispatches for a batch of `nonces`. `tileColumns`: see workgroupsOf. */
export function layerCosts(tier: Tier, nonces: number, tileColumns: number): StepCost[] {
  const rows = rowsFor(tier, nonces)
  const bytes = rowBytes(tier)
  return layerSteps(tier).map((step): StepCost => {
    const workgroups = workgroupsOf(tier, step, nonces, tileColumns)
    if (step.kind === 'attention') {
      const moved = nonces * tier.tokens * (bytes.projected + bytes.mixed)
      // A row of Q is read again for every four keys.
      const queries = nonces * tier.tokens * tier.width * (tier.tokens / 4)
      const macs = nonces * 2 * tier.tokens * tier.tokens * tier.width
      return {
        name: step.name,
        workgroups,
        macs,
        leastBytes: moved,
        askedBytes: moved - nonces * tier.tokens * tier.width + queries,
      }
    }
    const written = rows * step.columns * (step.finish === 'residual' ? 2 : 1)
    const weights = step.inner * step.columns
    const [columnTiles, rowTiles] = workgroups
    return {
      name: step.name,
      workgroups,
      macs: nonces * tier.tokens * weights,
      leastBytes: rows * step.inner + weights + written,
      askedBytes: rows * step.inner * columnTiles + weights * rowTiles + written,
    }
  })
}

/** `tileColumns`: columns of a product's results that one workgroup computes. */
export function workgroupsOf(
  tier: Tier,
  step: Step,
  nonces: number,
  tileColumns: number,
): [columns: number, rows: number] {
  if (step.kind === 'attention') return [tier.width / tier.head, nonces]
  return [step.columns / tileColumns, rowsFor(tier, nonces) / PRODUCT_TILE]
}
