/** Work and credit (protocol.md §1): integers only, no floating point. */

/** creditMacs = ⌊macs × factorMilli / 1000⌋. */
export function creditMacs(macs: bigint, factorMilli: bigint): bigint {
  return (macs * factorMilli) / 1000n
}

/**
 * One factor for work that has several (a chat's prompt and its generated tokens): the MAC-weighted mean, rounded
 * down, so that a receipt's `creditMacs` stays `⌊macs × factorMilli / 1000⌋`. Zero MACs give factor zero.
 */
export function blendedFactorMilli(parts: readonly { macs: bigint; factorMilli: bigint }[]): bigint {
  const macs = parts.reduce((sum, part) => sum + part.macs, 0n)
  if (macs === 0n) return 0n
  return parts.reduce((sum, part) => sum + part.macs * part.factorMilli, 0n) / macs
}

/** MACs and the one factor of a job whose prompt and generated part count by factors of their own, in thousandths. */
export function jobWork(
  macs: { prompt: bigint; generated: bigint },
  factorMilli: { prompt: number; generated: number },
): { macs: bigint; factorMilli: bigint } {
  return {
    macs: macs.prompt + macs.generated,
    factorMilli: blendedFactorMilli([
      { macs: macs.prompt, factorMilli: BigInt(factorMilli.prompt) },
      { macs: macs.generated, factorMilli: BigInt(factorMilli.generated) },
    ]),
  }
}

/** Expected work of a share: difficulty × MACs of one nonce. */
export function shareMacs(difficulty: bigint, macsOfNonce: bigint): bigint {
  return difficulty * macsOfNonce
}
