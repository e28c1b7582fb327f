/** What a native driver says of itself and its devices, over the C interface (native/include/lode_driver.h). */

import { z } from 'zod'
import { hex64 } from './bytes'

/** Version of the C interface that this program speaks. */
export const DRIVER_ABI = 1
export const DRIVER_MANIFEST = 'driver.json'

/** The file driver.json beside a driver's library. */
export const driverManifest = z.strictObject({
  /** also the name of its folder and the beginning of its devices' ids */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'small letters, digits and hyphens, at most 40'),
  vendor: z.string().min(1).max(120),
  version: z.string().min(1).max(60),
  /** version of the driver interface */
  abi: z.number().int(),
  /** such as linux-x64, win32-x64, darwin-arm64 */
  platforms: z.array(z.string().regex(/^[a-z0-9]+-[a-z0-9]+$/)).min(1),
  /** the library, in the manifest's folder */
  file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/, 'the name of a file beside driver.json'),
  /** of the library */
  sha256: hex64,
  licence: z.string().min(1).max(120),
})
export type DriverManifest = z.infer<typeof driverManifest>

export const nativeDevice = z.object({
  /** the same after every start of this machine, unique within the driver */
  id: z.string(),
  /** lode_device_kind */
  kind: z.number(),
  name: z.string(),
  units: z.string(),
  firmware: z.string(),
  /** 0: it uses the computer's */
  memoryBytes: z.number(),
  /** 0: threads are not chosen here */
  maximumThreads: z.number(),
})
export type NativeDevice = z.infer<typeof nativeDevice>

/** Already checked by the loader: texts are UTF-8, at most 64 devices. */
export interface NativeDriver {
  name: string
  vendor: string
  version: string
  licence: string
  devices: NativeDevice[]
}

/** A field is absent where the device has no such sensor. */
export interface NativeSensors {
  temperatureCelsius?: number
  powerWatts?: number
  energyJoules?: number
  clockHertz?: number
  fanRevolutionsPerMinute?: number
  /** 0 to 1 */
  utilization?: number
}

export interface NativePowerLimit {
  minimumWatts: number
  maximumWatts: number
  standardWatts: number
  /** as read back from the device */
  currentWatts: number
}
