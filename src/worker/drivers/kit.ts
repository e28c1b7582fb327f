/** What the checks have in common: the fixed epoch on a newly opened device, and its digests. */
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { bytesToHex, hexToBytes } from '#shared/domain/bytes'
import type { NativeDriver } from '#shared/domain/driver'
import { goldenDigests } from '#shared/domain/golden'
import { header } from '#shared/domain/share'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { NativeAddon, NativeDevice } from '../proof/native-addon'

export interface CheckOutcome {
  ok: boolean
  detail: string
  macsPerSecond?: number
}
export interface CheckContext {
  addon: NativeAddon
  library: string
  /** length of the determinism check */
  seconds: number
}

export const HEADER = header(BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY)
export const SEED = hexToBytes(BENCHMARK_EPOCH)
interface Prepared {
  addon: NativeAddon
  device: NativeDevice
  /** the digest of nonce 0 */
  golden: string
  digests(first: bigint, count: number): Promise<string[]>
}

/** Opens a device, prepares the fixed epoch on it, calls `work`, and closes both. */
export async function withEpoch(
  context: CheckContext,
  tier: TierName,
  work: (prepared: Prepared) => Promise<CheckOutcome>,
): Promise<CheckOutcome> {
  const { addon } = context
  const device = openDevice(context)
  try {
    const epoch = await prepare(context, device, tier)
    try {
      return await work({
        addon,
        device,
        golden: goldenDigests(tier)[0],
        digests: async (first, count) => {
          const { digests } = await addon.run(epoch, HEADER, first, count)
          return Array.from({ length: count }, (_, index) => bytesToHex(digests.subarray(index * 32, index * 32 + 32)))
        },
      })
    } finally {
      addon.release(epoch)
    }
  } finally {
    addon.close(device)
  }
}

export function firstDevice(addon: NativeAddon, library: string): NativeDriver['devices'][number] {
  const [device] = addon.describe(library).devices
  if (!device) throw new Error('there is no device')
  return device
}

export function openDevice({ addon, library }: CheckContext, memoryLimitBytes = 0, id?: string): NativeDevice {
  const device = firstDevice(addon, library)
  return addon.open(library, id ?? device.id, device.maximumThreads === 0 ? 0 : 1, memoryLimitBytes, null)
}

export function prepare(
  { addon }: CheckContext,
  device: NativeDevice,
  tier: TierName,
): ReturnType<NativeAddon['prepare']> {
  const { width, layers, tokens } = TIERS[tier]
  return addon.prepare(device, width, layers, tokens, SEED)
}
