/** The golden vectors of ITP-1, as the proof's specification publishes them. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { decimal, hex64 } from '#shared/domain/bytes'
import { tierName } from '#shared/domain/tiers'

const eightOperands = z.array(z.number().int().min(-64).max(63)).length(8)
const vectors = z.object({
  macs: z.record(tierName, z.number().int()),
  cases: z
    .array(
      z.object({
        tier: tierName,
        epoch: hex64,
        publicKey: hex64,
        nonce: decimal,
        digest: hex64,
        firstInputs: eightOperands,
        firstWeightsQ0: eightOperands,
        lastOutputs: eightOperands,
      }),
    )
    .length(16),
})

export function readVectors(): z.infer<typeof vectors> {
  return vectors.parse(JSON.parse(readFileSync(new URL('../fixtures/itp1-vectors.json', import.meta.url), 'utf8')))
}
