/** What a native driver says of itself and its devices, over the C interface (native/include/lode_driver.h). */

/** Already checked by the loader: texts are UTF-8, at most 64 devices. */
export interface NativeDriver {
  name: string
  vendor: string
  version: string
  licence: string
  devices: {
    /** the same after every start of this machine, unique within the driver */
    id: string
    /** lode_device_kind */
    kind: number
    name: string
    units: string
    firmware: string
    /** 0: it uses the computer's */
    memoryBytes: number
    /** 0: threads are not chosen here */
    maximumThreads: number
  }[]
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
