/** The native backend: a driver, for the CPU or for another device, which computes digests from seeds with its own threads and weights. */
import { bytesToHex, hexToBytes } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { NativeDriver, NativePowerLimit, NativeSensors } from '#shared/domain/driver'
import type { DriverDevice } from '#shared/ipc/worker'
import type { ProofBackend } from './backend'
import { createEpochCache } from './epoch-cache'
import { BATCH_ROWS } from './thread-backend'
import type { NativeAddon, NativeDevice, NativeEpoch } from './native-addon'

/** The one device of the driver that is built in. */
const BUILT_IN_DEVICE = 'cpu0'
/** Nonces of one call to a device without a choice of threads; the batch sizer asks for fewer where they take long. */
const DEVICE_BATCH = 64
const DIGEST_BYTES = 32
/** One call computes while the next waits in the driver's queue, so that threads that finish early continue at once. */
const STREAMS = 2

/** Adds the sensors and the power limit of the device. Each method opens the device first. */
export interface NativeBackend extends ProofBackend {
  sensors(): NativeSensors | null
  powerLimit(): NativePowerLimit | null
  setPowerLimit(watts: number): void
}

interface Opened {
  addon: NativeAddon
  device: NativeDevice
  choosesThreads: boolean
}

/** `load` is called at the first use, and throws a Failure where there is no addon. `kernel`: see NativeAddon. `driver`: undefined for the built-in CPU driver. */
export function createNativeBackend(
  load: () => NativeAddon,
  initialThreads: number,
  kernel: string | null = null,
  driver?: DriverDevice,
): NativeBackend {
  const blame = driver === undefined ? 'ours' : 'vendor'
  let threads = initialThreads
  let opened: Opened | null = null
  let running = 0

  const open = (): Opened => {
    if (opened) return opened
    const addon = load()
    const library = driver?.library ?? null
    const id = driver?.id ?? BUILT_IN_DEVICE
    opened = expected(blame, () => {
      const found = addon.describe(library).devices.find((device) => device.id === id)
      if (!found) throw new Failure('device-unavailable', message('driver-device-gone', { device: id }))
      const device = addon.open(library, id, threads, driver?.memoryLimitBytes ?? 0, kernel)
      return { addon, device, choosesThreads: found.maximumThreads > 0 }
    })
    return opened
  }

  const counted = async <T>(work: Promise<T>): Promise<T> => {
    running++
    try {
      return await work
    } catch (error) {
      throw failureOf(error, blame)
    } finally {
      running--
    }
  }

  const epochs = createEpochCache<NativeEpoch>({
    prepare: ({ tier, epochSeed }) => {
      const { addon, device } = open()
      const { width, layers, tokens } = TIERS[tier]
      return counted(addon.prepare(device, width, layers, tokens, hexToBytes(epochSeed)))
    },
    release: (epoch) => opened?.addon.release(epoch),
  })

  return {
    get threads() {
      return opened?.choosesThreads === false ? 1 : threads
    },
    streams: STREAMS,
    get busy() {
      return running > 0
    },
    batch: (tier: TierName) => {
      if (driver !== undefined && !open().choosesThreads) return DEVICE_BATCH
      return threads * Math.max(1, Math.round(BATCH_ROWS / TIERS[tier].tokens))
    },
    setThreads: (wanted) => {
      threads = wanted
      const current = opened
      if (current?.choosesThreads === true) expected(blame, () => current.addon.setThreads(current.device, wanted))
    },
    cancel: () => {
      if (opened) opened.addon.cancel(opened.device)
    },
    sensors: () => {
      const { addon, device } = open()
      return expected(blame, () => addon.sensors(device))
    },
    powerLimit: () => {
      const { addon, device } = open()
      return expected(blame, () => addon.powerLimit(device))
    },
    setPowerLimit: (watts) => {
      const { addon, device } = open()
      expected(blame, () => addon.setPowerLimit(device, watts))
    },
    with: (context, work) =>
      epochs.with(context, (epoch) => {
        const { addon } = open()
        return work(async (header, firstNonce, count) => {
          const { digests, kernelMilliseconds } = await counted(addon.run(epoch, header, firstNonce, count))
          return {
            digests: Array.from({ length: count }, (_, index) =>
              bytesToHex(digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES)),
            ),
            kernelMilliseconds,
          }
        })
      }),
  }
}

/** Throws a Failure that says what is wrong with the library. */
export function describeDriver(addon: NativeAddon, library: string): NativeDriver {
  const found = expected('vendor', () => addon.describe(library))
  const ids = new Set(found.devices.map(({ id }) => id))
  if (ids.size < found.devices.length || ids.has(''))
    throw new Failure('driver-fault', message('driver-ids-not-unique'))
  return found
}

/** Whose driver it is. An error of a vendor's driver is a driver fault; one of our own is not. */
type Blame = 'ours' | 'vendor'

function expected<T>(blame: Blame, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw failureOf(error, blame)
  }
}

/** Statuses that are no fault of the driver's work: the library or something it needs is missing, or the function is not available. */
const NO_DRIVER_FAULT = new Set(['LODE_NO_LIBRARY', 'LODE_NO_DRIVER', 'LODE_WRONG_ABI', 'LODE_NOT_AVAILABLE'])

/** A status of the driver becomes a Failure; any other error is a bug and stays as it is. */
function failureOf(error: unknown, blame: Blame): unknown {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'LODE_OUT_OF_MEMORY') {
    return new Failure('device-unavailable', message('proof-epoch-memory'))
  }
  if (code === 'LODE_CANCELLED') return new Failure('cancelled', message('work-cancelled'))
  if (code.startsWith('LODE_') && error instanceof Error) {
    return new Failure(
      blame === 'vendor' && !NO_DRIVER_FAULT.has(code) ? 'driver-fault' : 'device-unavailable',
      message('driver-says', { words: error.message }),
    )
  }
  return error
}
