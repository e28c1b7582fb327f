import { createEnergyMeter, type EnergySample, type EnergyTotal } from './energy-meter'

/** The whole of a list of samples in order of time. */
export function integrateEnergy(samples: Iterable<EnergySample>): EnergyTotal {
  const meter = createEnergyMeter()
  for (const sample of samples) meter.add(sample)
  return meter.total()
}
