/** The sensors process: slow system calls. */
export interface SensorMethods {
  /** the inventory of the machine; may take a second */
  'sensors.inventory': { params: null; result: SensorInventory }
  /** one reading of all sensors */
  'sensors.read': { params: null; result: MachineReading }
}

/** No working device is hotter, in °C: a higher value is an error of the sensor. */
export const LARGEST_PLAUSIBLE_CELSIUS = 120

export interface SensorInventory {
  cpu: {
    name: string
    vendor: string
    physicalCores: number
    logicalCores: number
    instructionSets: string[]
    /** whether the processor reports a hypervisor; absent: not known */
    virtualMachine?: boolean
  }
  memoryBytes: number
  gpus: { id: string; name: string; vendor: string; memoryBytes?: number; driver?: string; shared: boolean }[]
  /** whether RAPL energy counters can be read */
  raplReadable: boolean
  battery: boolean
}

/** One reading of the processor and of the graphics processors. */
export interface MachineReading {
  /** monotonic milliseconds of the sensors process */
  at: number
  /** joules since an arbitrary start, all CPU packages (on Apple silicon its cores); absent: there is no counter */
  packageJoules?: number
  /** watts of the same, from a tool that reports watts; absent: they follow from the joules since the former reading */
  packageWatts?: number
  /** the source of the joules, in words */
  packageSource?: string
  /** why there are no joules, in words, if that is known */
  packageMissing?: string
  /** °C, absent where unknown or not plausible */
  cpuTemperatureCelsius?: number
  /** 0 to 1, all cores, since the last reading */
  cpuLoad: number
  onBattery?: boolean
  gpus: {
    id: string
    powerWatts?: number
    /** since an arbitrary start; absent: the GPU has no counter */
    energyJoules?: number
    /** the source of watts or joules, in words */
    powerSource?: string
    temperatureCelsius?: number
    utilization?: number
  }[]
}
