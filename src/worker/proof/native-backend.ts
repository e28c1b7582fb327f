/** The native engine: a driver, the one for CPUs or a device's own, which has threads, weights and everything between input and digest to itself. */
import { bytesToHex, hexToBytes } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { NativeDriver, NativePowerLimit, NativeSensors } from '#shared/domain/driver'
import type { DriverDevice, ProofContext } from '#shared/ipc/worker'
import type { Compute, ProofBackend } from './backend'
import { BATCH_ROWS } from './engine'
import type { NativeAddon, NativeDevice, NativeEpoch } from './native-addon'

/** The one device of the driver that is built in. */
const BUILT_IN_DEVICE = 'cpu0'
/** Nonces of one call to a device that has no threads to choose: the pacer gives fewer where they take long. */
const DEVICE_BATCH = 64
const DIGEST_BYTES = 32
/** One call computes while the next waits in the driver's queue, so that threads that are done early go on at once. */
const STREAMS = 2
const KEPT_EPOCHS = 2

/** What moves on the device, besides computing. Each opens the device first. */
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

interface Entry {
  key: string
  ready: Promise<NativeEpoch>
  users: number
}

/** `load` is called when the engine is first asked for, and throws a Failure where there is none. `path`: see NativeAddon. Without `driver` the built-in one. */
export function createNativeBackend(
  load: () => NativeAddon,
  initialThreads: number,
  path: string | null = null,
  driver?: DriverDevice,
): NativeBackend {
  const blame = driver === undefined ? 'ours' : 'vendor'
  let threads = initialThreads
  let opened: Opened | null = null
  let running = 0
  /** used last comes last */
  const entries: Entry[] = []

  const open = (): Opened => {
    if (opened) return opened
    const addon = load()
    const library = driver?.library ?? null
    const id = driver?.id ?? BUILT_IN_DEVICE
    opened = expected(blame, () => {
      const found = addon.describe(library).devices.find((device) => device.id === id)
      if (!found) throw new Failure('device-unavailable', `the driver has no device "${id}" any more`)
      const device = addon.open(library, id, threads, driver?.memoryLimitBytes ?? 0, path)
      return { addon, device, choosesThreads: found.maximumThreads > 0 }
    })
    return opened
  }

  const forget = (entry: Entry): void => {
    entries.splice(entries.indexOf(entry), 1)
    entry.ready.then(
      (epoch) => opened?.addon.release(epoch),
      () => undefined,
    )
  }
  const keepAtMost = (count: number): void => {
    while (entries.length > count) {
      const unused = entries.find((entry) => entry.users === 0)
      if (!unused) return
      forget(unused)
    }
  }

  const entryOf = ({ tier, epochSeed }: ProofContext): Entry => {
    const key = `${tier} ${epochSeed}`
    const known = entries.find((entry) => entry.key === key)
    if (known) {
      entries.push(...entries.splice(entries.indexOf(known), 1))
      return known
    }
    // before the next is made: the weights of the largest tier take 201 MB
    keepAtMost(KEPT_EPOCHS - 1)
    const { addon, device } = open()
    const { width, layers, tokens } = TIERS[tier]
    const ready = counted(addon.prepare(device, width, layers, tokens, hexToBytes(epochSeed)))
    const entry: Entry = { key, ready, users: 0 }
    entries.push(entry)
    return entry
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
    with: async (context, work) => {
      const entry = entryOf(context)
      entry.users++
      try {
        const epoch = await entry.ready
        const { addon } = open()
        const compute: Compute = async (header, firstNonce, count) => {
          const { digests, kernelMilliseconds } = await counted(addon.run(epoch, header, firstNonce, count))
          return {
            digests: Array.from({ length: count }, (_, index) =>
              bytesToHex(digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES)),
            ),
            kernelMilliseconds,
          }
        }
        return await work(compute)
      } catch (error) {
        if (entries.includes(entry)) forget(entry)
        throw error
      } finally {
        entry.users--
        keepAtMost(KEPT_EPOCHS)
      }
    },
  }
}

/** Throws a Failure that says what is wrong with the library. */
export function describeDriver(addon: NativeAddon, library: string): NativeDriver {
  const found = expected('vendor', () => addon.describe(library))
  const ids = new Set(found.devices.map(({ id }) => id))
  if (ids.size < found.devices.length || ids.has(''))
    throw new Failure('driver-fault', 'the ids of its devices are empty or not unique')
  return found
}

/** Whose driver it is: a vendor's answers for what it does. */
type Blame = 'ours' | 'vendor'

function expected<T>(blame: Blame, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw failureOf(error, blame)
  }
}

/** No word about the driver's own work: the library or what it needs is missing, or nothing may be asked of it. */
const NOT_ITS_WORK = new Set(['LODE_NO_LIBRARY', 'LODE_NO_DRIVER', 'LODE_WRONG_ABI', 'LODE_NOT_AVAILABLE'])

/** What the driver may say of this machine is a Failure; anything else is a bug and stays what it is. */
function failureOf(error: unknown, blame: Blame): unknown {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'LODE_OUT_OF_MEMORY') {
    return new Failure(
      'device-unavailable',
      "there is not enough memory for an epoch's weights",
      'Close other programs, or choose a smaller tier.',
    )
  }
  if (code === 'LODE_CANCELLED') return new Failure('cancelled', 'the work was cancelled')
  if (code.startsWith('LODE_') && error instanceof Error) {
    return new Failure(
      blame === 'vendor' && !NOT_ITS_WORK.has(code) ? 'driver-fault' : 'device-unavailable',
      error.message,
      "Ask the driver's maker, or leave the device off.",
    )
  }
  return error
}
