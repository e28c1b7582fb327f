/** The sensors process: slow system calls. */
export interface SensorMethods {
  /** everything that identifies the machine; may take a second */
  'sensors.inventory': { params: null; result: SensorInventory }
  /** one reading of everything that moves */
  'sensors.read': { params: null; result: MachineReading }
}

/** No device that works is hotter, in °C: such a value is a sensor's error. */
export const LARGEST_PLAUSIBLE_CELSIUS = 120

export interface SensorInventory {
  cpu: {
    name: string
    vendor: string
    physicalCores: number
    logicalCores: number
    instructionSets: string[]
    /** the processor says that a hypervisor stands between; absent where it cannot be told */
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
  /** joules since an arbitrary start, all CPU packages (on Apple silicon its cores); absent where nothing counts them */
  packageJoules?: number
  /** watts of the same, from a tool that gives them itself; absent: the joules since the reading before say it */
  packageWatts?: number
  /** what counts the joules, in words */
  packageSource?: string
  /** why nothing counts them, in words, where that is known */
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
    /** what gives watts or joules, in words */
    powerSource?: string
    temperatureCelsius?: number
    utilization?: number
  }[]
}
