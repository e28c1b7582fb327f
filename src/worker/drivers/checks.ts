/** The checks of the conformance kit. Each runs in a process of its own, so that one that hangs or crashes ends only that process. */
import { bytesToHex } from '#shared/domain/bytes'
import type { DriverCheckId } from '#shared/domain/driver-checks'
import { goldenDigests } from '#shared/domain/golden'
import { TIERS, type TierName } from '#shared/domain/tiers'
import { inEnglish } from '#shared/domain/messages'
import { determinism } from './determinism'
import { firstDevice, HEADER, openDevice, prepare, withEpoch, type CheckContext, type CheckOutcome } from './kit'
import { libraryMismatch, libraryPlatform } from './library-file'

const CANCEL_MILLISECONDS = 200
const ROUND_CYCLES = 500
const MOST_ROUNDS = 12
const MOST_GROWTH_BYTES = 24 * 1024 ** 2

const passed = (detail: string): CheckOutcome => ({ ok: true, detail })
const failed = (detail: string): CheckOutcome => ({ ok: false, detail })

/** Runs one check. Never rejects: the outcome's detail says what the driver does wrong. */
export async function runCheck(id: DriverCheckId, context: CheckContext): Promise<CheckOutcome> {
  try {
    return await checks[id](context)
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error))
  }
}

const checks: Record<DriverCheckId, (context: CheckContext) => CheckOutcome | Promise<CheckOutcome>> = {
  library: async ({ library, addon }) => {
    const mismatch = await libraryMismatch(library)
    if (mismatch !== null) return failed(inEnglish.text(mismatch))
    const platform = await libraryPlatform(library)
    addon.describe(library)
    return passed(`a library for ${platform} with lode_driver_entry, version 1 of the interface`)
  },
  describe: ({ addon, library }) => {
    const { name, vendor, version, devices } = addon.describe(library)
    const ids = devices.map((device) => device.id)
    if (name === '' || vendor === '' || version === '') return failed('name, vendor or version is empty')
    if (ids.length === 0) return failed('there is no device')
    if (new Set(ids).size < ids.length || ids.includes('')) return failed('the ids of the devices are not unique')
    const strange = devices.find((device) => device.kind < 1 || device.kind > 6 || device.name === '')
    if (strange) return failed(`device ${strange.id} has no name, or a kind that does not exist`)
    return passed(
      `${name} ${version} by ${vendor}: ${devices.map((device) => `${device.id} (${device.name})`).join(', ')}`,
    )
  },
  open: (context) => {
    const { addon, library } = context
    addon.close(openDevice(context))
    const wrong = codeOf(() => addon.open(library, 'no such device', 1, 0, null))
    if (wrong === null) return failed('a device that does not exist was opened')
    return passed('opens and closes; refuses an id that does not exist')
  },
  'invalid-arguments': ({ addon, library }) => {
    const faults = addon.probeArguments(library, firstDevice(addon, library).id)
    return faults.length === 0
      ? passed('null pointers, short structures and sizes that do not exist are refused')
      : failed(faults.join('; '))
  },
  'vectors-itp1-test': (context) => vectors(context, 'itp1-test'),
  'vectors-itp1-small': (context) => vectors(context, 'itp1-small'),
  'vectors-itp1-base': (context) => vectors(context, 'itp1-base'),
  product: ({ addon, library }) => {
    const outcome = addon.probeProduct(library, firstDevice(addon, library).id)
    if (outcome === null) return passed('not offered (level 2 needs no single products)')
    return outcome ? passed('single products are exact') : failed('a single product is wrong')
  },
  'batch-sizes': (context) =>
    withEpoch(context, 'itp1-test', async ({ digests }) => {
      const whole = await digests(0n, 33)
      for (const size of [1, 3, 7]) {
        for (let first = 0; first < 21; first += size) {
          const part = await digests(BigInt(first), size)
          if (part.some((digest, index) => digest !== whole[first + index]))
            return failed(
              `nonces ${first} to ${first + size - 1} have other digests in a batch of ${size} than in one of 33`,
            )
        }
      }
      const last = (1n << 64n) - 2n
      const wrapped = await digests(last, 4)
      const single = [...(await digests(last, 1)), ...(await digests(last + 1n, 1)), whole[0], whole[1]]
      if (wrapped.some((digest, index) => digest !== single[index])) return failed('nonces do not wrap at 2^64')
      return passed('batches of 1, 3, 7 and 33 agree; nonces wrap at 2^64')
    }),
  cancellation: (context) =>
    withEpoch(context, 'itp1-small', async ({ addon, device, digests, golden }) => {
      const startedAt = performance.now()
      await digests(0n, 1)
      const nonceMilliseconds = Math.max(0.01, performance.now() - startedAt)
      const count = Math.min(1 << 20, Math.max(64, Math.ceil(5000 / nonceMilliseconds)))
      let slowest = 0
      for (let attempt = 0; attempt < 3; attempt++) {
        const work = digests(0n, count).then(
          () => 'it ran to its end',
          (error: unknown) => (error as { code?: string }).code ?? String(error),
        )
        await new Promise((resolve) => setTimeout(resolve, 100))
        const asked = performance.now()
        addon.cancel(device)
        const outcome = await work
        const took = performance.now() - asked
        if (outcome !== 'LODE_CANCELLED') return failed(`a run that was cancelled said: ${outcome}`)
        slowest = Math.max(slowest, took)
      }
      if (slowest > CANCEL_MILLISECONDS) return failed(`a run ended ${slowest.toFixed(0)} ms after it was cancelled`)
      if ((await digests(0n, 1))[0] !== golden) return failed('the run after a cancelled one has a wrong digest')
      return passed(`runs end at most ${slowest.toFixed(0)} ms after they are cancelled, and later ones work`)
    }),
  'out-of-memory': async (context) => {
    const device = openDevice(context, 1)
    try {
      const code = await prepare(context, device, 'itp1-test').then(
        () => null,
        (error: unknown) => (error as { code?: string }).code ?? String(error),
      )
      if (code === null) return failed('a limit of one byte did not keep it from preparing an epoch')
      if (code !== 'LODE_OUT_OF_MEMORY') return failed(`beyond its limit it answered ${code}`)
    } finally {
      context.addon.close(device)
    }
    return passed('answers LODE_OUT_OF_MEMORY beyond its limit')
  },
  'open-close': async (context) => {
    const cycle = async (whole: boolean): Promise<void> => {
      const device = openDevice(context)
      if (whole) context.addon.release(await prepare(context, device, 'itp1-test'))
      context.addon.close(device)
    }
    // Allocators keep some freed memory, up to a limit; a leak has no limit.
    let growth = Infinity
    let cycles = 0
    while (growth > MOST_GROWTH_BYTES && cycles < MOST_ROUNDS * ROUND_CYCLES) {
      const before = process.memoryUsage.rss()
      for (let index = 0; index < ROUND_CYCLES; index++) await cycle(index % 20 === 0)
      // There are at least two rounds, a thousand cycles.
      growth = cycles === 0 ? Infinity : process.memoryUsage.rss() - before
      cycles += ROUND_CYCLES
    }
    const megabytes = `${(growth / 1024 ** 2).toFixed(1)} MiB in the last ${ROUND_CYCLES} of ${cycles} times`
    return growth > MOST_GROWTH_BYTES
      ? failed(`memory grew by ${megabytes} it was opened and closed`)
      : passed(`opened and closed; memory grew by ${megabytes}`)
  },
  'two-devices': async (context) => {
    const { addon, library } = context
    const ids = addon.describe(library).devices.map(({ id }) => id)
    const devices = [openDevice(context, 0, ids[0]), openDevice(context, 0, ids[1] ?? ids[0])]
    try {
      const answers = await Promise.all(
        devices.map(async (device) => {
          const epoch = await prepare(context, device, 'itp1-test')
          const { digests } = await addon.run(epoch, HEADER, 0n, 16)
          addon.release(epoch)
          return bytesToHex(digests.subarray(0, 32))
        }),
      )
      const golden = goldenDigests('itp1-test')[0]
      if (answers.some((answer) => answer !== golden)) return failed('two open devices at once gave a wrong digest')
      return passed(ids.length > 1 ? 'two devices compute at once' : 'one device opened twice computes at once')
    } finally {
      for (const device of devices) addon.close(device)
    }
  },
  threads: (context) =>
    withEpoch(context, 'itp1-test', async ({ addon, device, digests, golden }) => {
      const { maximumThreads } = firstDevice(addon, context.library)
      if (maximumThreads === 0) return passed('threads are not chosen here')
      for (const threads of [1, Math.min(2, maximumThreads)]) {
        addon.setThreads(device, threads)
        if ((await digests(0n, 8))[0] !== golden) return failed(`with ${threads} threads a digest is wrong`)
      }
      return passed(`takes 1 to ${maximumThreads} threads`)
    }),
  sensors: (context) =>
    withEpoch(context, 'itp1-test', async ({ addon, device, digests }) => {
      const before = addon.sensors(device)
      await digests(0n, 64)
      const after = addon.sensors(device)
      if (before === null || after === null) return passed('not available')
      const inside = (value: number | undefined, low: number, high: number): boolean =>
        value === undefined || (value >= low && value <= high)
      if (!inside(after.temperatureCelsius, -50, 150))
        return failed(`the temperature is ${after.temperatureCelsius} °C`)
      if (!inside(after.powerWatts, 0, 20_000)) return failed(`the power is ${after.powerWatts} W`)
      if (!inside(after.utilization, 0, 1)) return failed(`the utilization is ${after.utilization}`)
      if ((after.energyJoules ?? 0) < (before.energyJoules ?? 0)) return failed('the energy counter ran backwards')
      return passed(`has ${Object.keys(after).join(', ') || 'none of the known kinds'}`)
    }),
  'power-limit': (context) => {
    const device = openDevice(context)
    const { addon } = context
    try {
      const limit = addon.powerLimit(device)
      if (limit === null) return passed('not available')
      const { minimumWatts, maximumWatts, currentWatts } = limit
      if (!(minimumWatts <= maximumWatts)) return failed('its range is empty')
      const wanted = (minimumWatts + maximumWatts) / 2
      addon.setPowerLimit(device, wanted)
      const found = addon.powerLimit(device)?.currentWatts ?? Number.NaN
      addon.setPowerLimit(device, currentWatts)
      if (!(Math.abs(found - wanted) <= Math.max(1, wanted * 0.02)))
        return failed(`${wanted} W were set and ${found} W read back`)
      if (codeOf(() => addon.setPowerLimit(device, maximumWatts * 2 + 1)) === null)
        return failed('a limit beyond its range was taken')
      return passed(`${minimumWatts} to ${maximumWatts} W, read back and restored`)
    } finally {
      addon.close(device)
    }
  },
  determinism: (context) => determinism(context, tierFor(context)),
}

async function vectors(context: CheckContext, tier: TierName): Promise<CheckOutcome> {
  const { memoryBytes } = firstDevice(context.addon, context.library)
  if (memoryBytes > 0 && memoryBytes < TIERS[tier].weightBytes) return passed('the device has no memory for it')
  return withEpoch(context, tier, async ({ digests }) => {
    // Two nonces only: a driver without vector instructions takes seconds for a nonce of the largest tier.
    const found = await digests(0n, 2)
    const wrong = goldenDigests(tier)
      .slice(0, 2)
      .findIndex((golden, index) => golden !== found[index])
    return wrong < 0 ? passed('right digests') : failed(`the digest of nonce ${wrong} is wrong`)
  })
}

/** The largest tier that the device has memory for. */
function tierFor({ addon, library }: CheckContext): TierName {
  const { memoryBytes } = firstDevice(addon, library)
  return memoryBytes > 0 && memoryBytes < TIERS['itp1-base'].weightBytes ? 'itp1-small' : 'itp1-base'
}

function codeOf(work: () => unknown): string | null {
  try {
    work()
    return null
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
