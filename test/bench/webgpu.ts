/**
 * `npm run bench -- webgpu`: what the webgpu engine dispatches for a batch, counted from its plan: multiply-accumulates
 * and bytes, no time.
 */
import { TIERS, type Tier } from '#shared/domain/tiers'
import { activationBytes, layerCosts } from '#worker/proof/webgpu/plan'
import { writeBenchmarkSection } from '../support/benchmark-section'

const BATCHES = [1, 16, 64]

export default function main(): void {
  const body = report()
  console.log(body)
  writeBenchmarkSection('webgpu', body)
}

function report(): string {
  const tiers = [TIERS['itp1-small'], TIERS['itp1-base']]
  return `Counted from the engine's plan, not measured: no speed follows from it. Five dispatches a layer. *Least bytes* moves everything once; *asked bytes* is what the workgroups read and write before any cache. A product is computed in whole tiles of 64 rows, so a batch with fewer rows moves more bytes for each multiply-accumulate.

The products use \`dot4I8Packed\`, not subgroup matrices. The Dawn of the package webgpu 0.6.2 knows those as \`chromium-experimental-subgroup-matrix\`, and gives them neither by default nor, with the switch for unsafe features, on the software
adapter that these kernels are checked with: a kernel for them could not be shown to give the right digests anywhere here.

${tiers.map(tables).join('\n\n')}`
}

function tables(tier: Tier): string {
  return BATCHES.map((nonces) => table(tier, nonces)).join('\n\n')
}

function table(tier: Tier, nonces: number): string {
  const costs = layerCosts(tier, nonces)
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
