/**
 * The power of cpu0: measured by the processor's own counter if it can be read, otherwise estimated from the processor's
 * published power and the load, otherwise absent with the reason.
 */
import { meanWatts, SHORTEST_MEAN_MILLISECONDS } from '#shared/domain/energy'
import type { SensorInventory } from '#shared/ipc/sensors'
import {
  classMean,
  cleanProcessorName,
  findProcessor,
  readProcessorTable,
  shareAtLoad,
  type ProcessorClass,
  type ProcessorTable,
} from './processors'
import { counterOf, type SensorReading } from './sensor-readings'

export interface PowerFigure {
  /** absent: nothing is known, and `source` gives the reason */
  watts?: number
  certainty?: 'measured' | 'estimated'
  /** the sensor or the table's row, in words; the same from reading to reading */
  source: string
}

export interface PowerMeter {
  /**
   * Power since the former reading. `deviceLoad` (0 to 1, of all cores) replaces the reading's own load in an estimate, if
   * the caller knows it better; a measurement needs no load.
   */
  update(reading: SensorReading, deviceLoad?: number): PowerFigure
  /** The last figure; before the first reading the power of an idle processor by the table. */
  readonly latest: PowerFigure
  /** The power at a load (0 to 1) by the table: used before the start, when there is nothing to measure. */
  estimateAt(load: number): PowerFigure
}

const COUNTER_SOURCE = "the processor's energy counter"

/** Power of the processor of `inventory`, by the table that comes with Lode unless another is given. Readings in, figures out. */
export function createPowerMeter(options: { inventory: SensorInventory; processors?: ProcessorTable }): PowerMeter {
  const processors = options.processors ?? readProcessorTable()
  const basis = estimationBasis(options.inventory, processors)
  let before: SensorReading | undefined
  const estimateAt = (load: number): PowerFigure =>
    basis.fullWatts === undefined
      ? { source: basis.source }
      : { watts: basis.fullWatts * shareAtLoad(processors, load), certainty: 'estimated', source: basis.source }
  /** An estimate, with the reason why the power is not measured, if the sensors know it. */
  const estimateFor = ({ utilization, powerMissing }: SensorReading, deviceLoad = utilization): PowerFigure => {
    const estimate = estimateAt(deviceLoad ?? 0)
    return powerMissing === undefined ? estimate : { ...estimate, source: `${estimate.source}; ${powerMissing}` }
  }
  let latest: PowerFigure = estimateAt(0)

  return {
    estimateAt,
    get latest() {
      return latest
    },
    update: (reading, deviceLoad) => {
      const measured = reading.powerWatts ?? (before && measuredWatts(before, reading))
      // Two readings are too close for a mean: the next one is compared with the older one.
      const isTooClose = before && reading.at > before.at && reading.at - before.at < SHORTEST_MEAN_MILLISECONDS
      if (!isTooClose) before = reading
      latest =
        measured === undefined
          ? isTooClose && latest.certainty === 'measured'
            ? latest
            : estimateFor(reading, deviceLoad)
          : { watts: measured, certainty: 'measured', source: reading.powerSource ?? COUNTER_SOURCE }
      return latest
    },
  }
}

/** Undefined where the counter gives no measurement. A processor always draws power: a counter that does not move was reset. */
function measuredWatts(before: SensorReading, reading: SensorReading): number | undefined {
  const watts = meanWatts(counterOf(before), counterOf(reading))
  return watts === 0 ? undefined : watts
}

interface EstimationBasis {
  /** at the table's full power; absent: nothing to estimate from */
  fullWatts?: number
  source: string
}

function estimationBasis(inventory: SensorInventory, table: ProcessorTable): EstimationBasis {
  const { cpu } = inventory
  const curve = `× load by ${table.loadCurve.source.split(' (')[0] ?? table.loadCurve.source}`
  const known = findProcessor(table, cpu.name)
  if (known) {
    const { measure, source, note } = known.group
    const part = cpu.virtualMachine === true && cpu.physicalCores < known.cores
    const sockets = part ? 1 : Math.max(1, Math.round(cpu.physicalCores / known.cores))
    const scope = part
      ? `, ${cpu.physicalCores} of its ${known.cores} cores`
      : sockets > 1
        ? `, ${sockets} processors`
        : ''
    return {
      fullWatts: part ? (known.watts * cpu.physicalCores) / known.cores : known.watts * sockets,
      source: `${source}: ${known.name}, ${measure} ${known.watts} W${scope} ${curve}${note ? ` (${note})` : ''}`,
    }
  }
  return fallbackBasis(inventory, table, curve)
}

/**
 * A processor without a row, but of a known class: the mean over the table's own rows of that class. A virtual machine
 * owns cores of a server's processor, so there it is the mean of one core, times the cores that the machine sees; where
 * the host shares a core between two machines, the true figure is lower.
 */
function fallbackBasis({ cpu, battery }: SensorInventory, table: ProcessorTable, curve: string): EstimationBasis {
  const name = cleanProcessorName(cpu.name)
  const wanted = classOf(cpu.name, cpu.vendor, cpu.virtualMachine === true, battery)
  const mean = wanted && classMean(table, wanted)
  if (!mean) return { source: `No sensor gives watts, and ${name} is not in the table of processors` }
  if (wanted === 'server') {
    const perCore = mean.wattsPerCore.toFixed(1)
    return {
      fullWatts: mean.wattsPerCore * cpu.physicalCores,
      source: `Mean of the ${mean.count} server processors in Lode's table, ${perCore} W a core, for ${cpu.physicalCores} cores of ${name}, whose model is not known, ${curve}`,
    }
  }
  return {
    fullWatts: mean.watts,
    source: `Mean of the ${mean.count} ${wanted} processors in Lode's table, ${mean.watts.toFixed(0)} W, for ${name}, which is not in it, ${curve}`,
  }
}

function classOf(name: string, vendor: string, virtualMachine: boolean, battery: boolean): ProcessorClass | undefined {
  if (/\b(Xeon|EPYC)\b/i.test(name)) return 'server'
  if (virtualMachine && /^(Intel|AMD)$/.test(vendor) && !/\b(Core|Ryzen)\b/i.test(name)) return 'server'
  if (!/\b(Core|Ryzen)\b/i.test(name) || !/intel|amd/i.test(`${vendor} ${name}`)) return undefined
  return battery ? 'laptop' : 'desktop'
}
