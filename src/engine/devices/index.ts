/** Devices: what the machine has, what it draws, and the process that looks. */
export { createSensorsClient, inventoryFromNode, type SensorsClient } from './sensors-client'
export {
  defaultThreads,
  computingGpus,
  describeDevices,
  engineUses,
  type DeviceDescriptor,
  type DeviceSettings,
  type GpuFinding,
} from './describe'
export { estimateGraphics, readGraphicsTable } from './graphics'
export { createPowerMeter, type PowerMeter, type PowerReading } from './power'
export {
  createEnergyMeter,
  energyOf,
  integrateEnergy,
  type EnergyMeter,
  type EnergyTotal,
  type PowerSample,
} from './energy'
export { processorClockHertz } from './clock'
export { cleanProcessorName, readProcessorTable, type ProcessorTable } from './processors'
export { createTemperatureGuard, defaultTemperatureLimit } from './temperature-guard'
