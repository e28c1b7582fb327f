/**
 * `npm run bench -- webgpu`: what the webgpu backend dispatches for a batch, counted from its plan: multiply-accumulates
 * and bytes, no time.
 */
import { TIERS, type Tier } from '#shared/domain/tiers'
import { PRODUCT_TILE } from '#worker/proof/webgpu/kernels'
import { MATRIX_TILE_COLUMNS } from '#worker/proof/webgpu/matrix-kernel'
import { activationBytes, layerCosts } from '#worker/proof/webgpu/plan'
import { writeBenchmarkSection } from '../support/benchmark-section'

const MOST_NONCES = 64
const BATCHES = [1, 16, MOST_NONCES]

export default function main(): void {
  const body = report()
  console.log(body)
  writeBenchmarkSection('webgpu', body)
}

function report(): string {
  const tiers = [TIERS['itp1-small'], TIERS['itp1-base']]
  return `Counted from the backend's plan, not measured: no speed follows from it. Five dispatches a layer. *Least bytes* moves everything once; *asked bytes* is what the workgroups read and write before any cache. A product is computed in whole tiles of 64 rows, so a batch with fewer rows moves more bytes for each multiply-accumulate.

The products use \`dot4I8Packed\`, and subgroup matrices (\`chromium-experimental-subgroup-matrix\`, int8 operands and int32 sums) where an adapter has them and a trial in a process of its own showed the right digests and a higher rate. What was run of
the second way: on lavapipe of Mesa 26.2.6, whose matrices are of 8 × 8 × 8, every vector of \`itp1-test\` and the first of \`itp1-small\` gave the golden digest. The other shapes were run there with ordinary loops in place of the
matrices, through the same tiles: 16 × 16 × 32, 16 × 16 × 16, 8 × 16 × 32, 16 × 8 × 32 and 32 × 8 × 16 gave every digest of \`itp1-test\`; SwiftShader, which has no matrices, does so for the first of these in every run of the tests. Dawn's compiler
takes the shader for all of them without a message. On the matrix units of a real graphics processor it was never run, and which way is faster is known nowhere before that trial.

${tiers.map(tables).join('\n\n')}

With subgroup matrices a workgroup computes 64 × 128 results instead of 64 × 64; the rest stays as it is.

${tiers.map((tier) => table(tier, MOST_NONCES, MATRIX_TILE_COLUMNS)).join('\n\n')}`
}

function tables(tier: Tier): string {
  return BATCHES.map((nonces) => table(tier, nonces, PRODUCT_TILE)).join('\n\n')
}

function table(tier: Tier, nonces: number, tileColumns: number): string {
  const costs = layerCosts(tier, nonces, tileColumns)
  const sum = (of: (cost: (typeof costs)[number]) => number): number =>
    costs.reduce((total, cost) => total + of(cost), 0)
  const macs = tier.layers * sum((cost) => cost.macs)
  if (BigInt(macs) !== tier.macs * BigInt(nonces))
    throw new Error(`${tier.name}: the plan does not compute the whole proof`)
  const rows = costs.map(
    ({ name, workgroups, macs: own, leastBytes, askedBytes }) =>
      `| ${name} | ${workgroups.join(' × ')} | ${grouped(own)} | ${grouped(leastBytes)} | ${grouped(askedBytes)} | ${(own / leastBytes).toFixed(0)} |`,
  )
  const total = `| all ${tier.layers} layers | ${costs.length * tier.layers} dispatches | ${grouped(macs)} | ${grouped(tier.layers * sum((cost) => cost.leastBytes))} | ${grouped(tier.layers * sum((cost) => cost.askedBytes))} | |`
  const inputBytes = nonces * tier.tokens * tier.width
  return `${tier.name}, ${nonces} ${nonces === 1 ? 'nonce' : 'nonces'} a batch: ${grouped(inputBytes)} bytes go up and ${grouped(inputBytes)} come back; ${grouped(activationBytes(tier, nonces))} bytes of activations beside ${grouped(tier.weightBytes)} of weights, which go up once an epoch.

| dispatch | workgroups | MACs | least bytes | asked bytes | MACs ÷ least byte |
| --- | --- | --- | --- | --- | --- |
${[...rows, total].join('\n')}`
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}
