/** A device as screens and the command see it: what it is, what it does, what it draws. */
import { device as deviceSchema, type Device } from '#shared/contract/devices'
import type { BenchmarkProgress } from '#shared/domain/benchmark'
import type { BackendName } from '#shared/domain/backend'
import type { DeviceState } from '#shared/domain/states'
import type { LoadedModel } from '#shared/domain/model-stages'
import type { Message } from '#shared/domain/messages'
import type { DevicePower } from '../power'
import { backendUses, type DeviceDescriptor } from './describe'
import type { DevicePowerLimit } from './provider'

/** What a device does now, from its loop. */
export interface DeviceWork {
  readonly state: DeviceState
  readonly activity: Message | null
  /** why it stopped, when it is faulted */
  readonly reason: Message | null
  /** the backend it mines on; null: it does not mine */
  readonly backend: BackendName | null
  readonly macsPerSecond: number | null
  readonly residentBytes: number | null
  /** the models whose weights are in memory, the one used last at the end */
  readonly loadedModels: readonly LoadedModel[]
  readonly benchmarkProgress: BenchmarkProgress | null
  readonly restarts: number
}

export interface DeviceView {
  found: DeviceDescriptor
  /** null: it cannot work */
  work: DeviceWork | null
  power: DevicePower
  /** means of the last minute */
  rate: { macsPerSecond: number | null; macsPerJoule: number | null }
  temperatureLimitCelsius: number
  powerLimit: DevicePowerLimit | null
  /** returns the name of a model, by its hash */
  modelName: (hash: string) => string
}

export function viewDevice({ found, work, power, rate, ...rest }: DeviceView): Device {
  // For a device that has stopped, the mean of the last minute is not shown as a reading.
  const isWorking = work !== null && work.state !== 'idle' && work.state !== 'faulted'
  const reason = found.reason ?? work?.reason ?? undefined
  const backend = work?.backend ?? found.backends[0] ?? null
  return deviceSchema.parse({
    id: found.id,
    kind: found.kind,
    name: found.name,
    state: stateOf(found, work),
    activity: work?.activity ?? null,
    macsPerSecond: isWorking ? (rate.macsPerSecond ?? work.macsPerSecond) : null,
    backends: found.backends,
    backend,
    memoryBytes: found.memoryBytes,
    memoryUsedBytes: work?.residentBytes ?? null,
    loadedModels: (work?.loadedModels ?? [])
      .map(({ hash, bytes }) => ({ hash, name: rest.modelName(hash), bytes }))
      .toReversed(),
    canMine: found.canMine,
    ...(reason === undefined ? {} : { reason }),
    enabled: found.enabled,
    quarantined: found.quarantined ?? false,
    benchmark: work?.benchmarkProgress ?? null,
    detail: detailOf(found, backend === null ? null : backendUses(found, backend)),
    threads: found.threads,
    watts: power.watts,
    wattsCertainty: power.certainty,
    wattsSource: power.source,
    energyFrom: power.counterJoules !== undefined ? 'counter' : power.watts !== null ? 'power' : null,
    macsPerJoule: isWorking ? rate.macsPerJoule : null,
    temperatureCelsius: power.temperatureCelsius,
    temperatureLimitCelsius: rest.temperatureLimitCelsius,
    powerLimit: rest.powerLimit?.current() ?? null,
    restarts: work?.restarts ?? 0,
  })
}

function detailOf(
  { vendor, cores, logicalCores, instructionSets, driver }: DeviceDescriptor,
  uses: string | null,
): Device['detail'] {
  return {
    vendor,
    instructionSets,
    ...(cores === undefined ? {} : { cores }),
    ...(logicalCores === undefined ? {} : { logicalCores }),
    ...(driver === undefined ? {} : { driver }),
    ...(uses === null ? {} : { backendUses: uses }),
  }
}

/** A quarantined device is shown as faulted, like a device that stopped by itself. */
function stateOf(found: DeviceDescriptor, work: DeviceWork | null): Device['state'] {
  if (found.quarantined === true) return 'faulted'
  if (!found.canMine) return 'unable'
  return found.enabled || work?.benchmarkProgress != null ? (work?.state ?? 'idle') : 'off'
}
