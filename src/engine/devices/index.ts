/** Devices: what the machine has, what it draws, and the process that looks. */
export { createSensorsClient, inventoryFromNode, type SensorsClient } from '../workers/sensors-client'
export {
  defaultThreads,
  computingGpus,
  describeDevices,
  engineUses,
  type DeviceDescriptor,
  type DeviceSettings,
  type GpuFinding,
} from './describe'
export { estimateGraphics, readGraphicsTable } from '../power/graphics'
export { createPowerMeter, type PowerMeter, type PowerReading } from '../power/power-meter'
export {
  createEnergyMeter,
  energyOf,
  integrateEnergy,
  type EnergyMeter,
  type EnergyTotal,
  type PowerSample,
} from '../power/energy'
export { processorClockHertz } from '../benchmark/processor-clock'
export { cleanProcessorName, readProcessorTable, type ProcessorTable } from '../power/processors'
export { createTemperatureGuard, defaultTemperatureLimit } from '../power/temperature-guard'
