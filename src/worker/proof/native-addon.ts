/** The native addon (native/loader): loads a driver, and computes whole nonces on the driver's threads or device. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { z } from 'zod'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { NativeDriver, NativePowerLimit, NativeSensors } from '#shared/domain/driver'

/** An open device and an epoch on it; only the addon can look into them. */
export type NativeDevice = object & { readonly nativeDevice: never }
export type NativeEpoch = object & { readonly nativeEpoch: never }

/**
 * The addon's functions. `library`: the path of a driver, null for the one built in. Errors have the driver's status as
 * their `code`, such as LODE_OUT_OF_MEMORY.
 */
export interface NativeAddon {
  describe(library: string | null): NativeDriver
  /** `kernel` forces a kernel variant of the CPU driver (avx512-vnni, avx-vnni, avx2, scalar); null: the driver chooses. 0 bytes: no limit. */
  open(
    library: string | null,
    deviceId: string,
    threads: number,
    memoryLimitBytes: number,
    kernel: string | null,
  ): NativeDevice
  /** `epochSeed`: 32 bytes. */
  prepare(
    device: NativeDevice,
    width: number,
    layers: number,
    tokens: number,
    epochSeed: Uint8Array,
  ): Promise<NativeEpoch>
  /** 32 bytes a nonce, in order; milliseconds summed over the device's threads. `header`: 32 bytes. */
  run(
    epoch: NativeEpoch,
    header: Uint8Array,
    firstNonce: bigint,
    count: number,
  ): Promise<{ digests: Uint8Array; kernelMilliseconds: number }>
  setThreads(device: NativeDevice, threads: number): void
  /** Makes running calls reject with LODE_CANCELLED within 200 ms. */
  cancel(device: NativeDevice): void
  /** null: the driver has no sensors; a field is absent where it has none of that kind. */
  sensors(device: NativeDevice): NativeSensors | null
  /** null: the device has no power limit. */
  powerLimit(device: NativeDevice): NativePowerLimit | null
  setPowerLimit(device: NativeDevice, watts: number): void
  /** Calls the driver with invalid arguments that only C can make; gives the calls that it accepted. For the conformance kit. */
  probeArguments(library: string | null, deviceId: string): string[]
  /** Whether single products are exact; null: the device does not offer them. */
  probeProduct(library: string | null, deviceId: string): boolean | null
  release(epoch: NativeEpoch): void
  close(device: NativeDevice): void
}

const shape = z.object({ describe: z.function(), open: z.function(), prepare: z.function(), run: z.function() })

/** Throws Failure `device-unavailable` where there is none or it cannot be loaded. */
export function loadNativeAddon(file: string): NativeAddon {
  if (!existsSync(file)) {
    throw new Failure('device-unavailable', message('native-missing'))
  }
  try {
    const loaded: unknown = createRequire(import.meta.url)(file)
    shape.parse(loaded)
    return loaded as NativeAddon
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Failure('device-unavailable', message('native-not-loaded', { words: reason }))
  }
}
