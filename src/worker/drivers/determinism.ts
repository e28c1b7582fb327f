/** The long check: the same nonces repeatedly, in batches of different sizes, and some of them compared with the reference. */
import { randomBytes } from 'node:crypto'
import { BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { hexToBytes } from '#shared/domain/bytes'
import { TIERS, type TierName } from '#shared/domain/tiers'
import { referenceDigest } from '../proof/reference'
import { expandWeights } from '../proof/weights'
import { SEED, withEpoch, type CheckContext, type CheckOutcome } from './kit'

const BATCH = 48
/** One nonce of every so many batches is compared with the reference. */
const REFERENCE_EVERY = 10
/** The speed is measured for this share of the time, at least for LEAST_SPEED_SECONDS. */
const SPEED_SHARE = 0.25
const LEAST_SPEED_SECONDS = 0.5

/** Runs for `context.seconds`; the speed is measured on `tier`. */
export async function determinism(context: CheckContext, tier: TierName): Promise<CheckOutcome> {
  const publicKey = hexToBytes(BENCHMARK_PUBLIC_KEY)
  const weights = expandWeights(TIERS['itp1-test'], SEED)
  const speedSeconds = Math.max(LEAST_SPEED_SECONDS, context.seconds * SPEED_SHARE)
  let batches = 0
  let compared = 0
  const repeated = await withEpoch(context, 'itp1-test', async ({ digests }) => {
    const endsAt = performance.now() + Math.max(0, context.seconds - speedSeconds) * 1000
    do {
      const first = randomBytes(8).readBigUInt64LE() & ~0xffn
      const whole = await digests(first, BATCH)
      const cut = 1 + (batches % (BATCH - 1))
      const parts = [...(await digests(first, cut)), ...(await digests(first + BigInt(cut), BATCH - cut))]
      const differing = whole.findIndex((digest, index) => digest !== parts[index])
      if (differing >= 0)
        return { ok: false, detail: `nonce ${first + BigInt(differing)} has two digests, by the batch it was in` }
      if (batches % REFERENCE_EVERY === 0) {
        const nonce = first + BigInt(cut)
        if (referenceDigest(TIERS['itp1-test'], SEED, publicKey, nonce, weights).digest !== whole[cut])
          return { ok: false, detail: `the digest of nonce ${nonce} is not the reference's` }
        compared++
      }
      batches++
    } while (performance.now() < endsAt)
    return { ok: true, detail: '' }
  })
  if (!repeated.ok) return repeated
  return withEpoch(context, tier, async ({ digests }) => {
    await digests(0n, 1)
    const startedAt = performance.now()
    let nonces = 0
    let batch = 1
    while (performance.now() - startedAt < speedSeconds * 1000) {
      await digests(BigInt(nonces), batch)
      nonces += batch
      const each = (performance.now() - startedAt) / nonces
      batch = Math.max(1, Math.min(512, Math.floor((speedSeconds * 1000) / 4 / each)))
    }
    const macsPerSecond = (Number(TIERS[tier].macs) * nonces * 1000) / (performance.now() - startedAt)
    const detail = `${batches} random batches twice, ${compared} nonces by the reference`
    return { ok: true, detail, macsPerSecond }
  })
}
