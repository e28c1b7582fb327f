/** Sums that never overflow (protocol.md §5): stored as high × 10^9 + low, added in bigint. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { creditMacs } from '#shared/domain/credit'
import type { WorkAmount } from './types'

export const SUM_BASE = 1_000_000_000n
/** An SQLite integer. */
export const MAX_INTEGER = (1n << 63n) - 1n

/** The sum of the two halves; null counts as 0. */
export function joinSum(high: bigint | null, low: bigint | null): bigint {
  return (high ?? 0n) * SUM_BASE + (low ?? 0n)
}

/** Refuses amounts that a row cannot hold or whose credit is not ⌊macs × factorMilli / 1000⌋. Throws `network-refused`. */
export function checkAmount(amount: WorkAmount, whose: 'share' | 'result' | 'receipt'): void {
  if ([amount.macs, amount.factorMilli, amount.creditMacs].some((value) => value < 0n || value > MAX_INTEGER)) {
    throw new Failure('network-refused', message('ledger-amount-out-of-range', { whose }))
  }
  if (creditMacs(amount.macs, amount.factorMilli) !== amount.creditMacs) {
    throw new Failure('network-refused', message('ledger-credit-not-following', { whose }))
  }
}
