/** The devices of this rig: what they are, what the person decided about them, and the runner that drives each. */
import { device as deviceSchema, type Device } from '#shared/contract/devices'
import { Failure } from '#shared/domain/errors'
import type { GpuAdapter } from '#shared/ipc/worker'
import type { SensorInventory } from '#shared/ipc/sensors'
import { defaultTemperatureLimit, type DevicePower, type DevicePowers } from '../power'
import { describeDevices, engineUses, type DeviceDescriptor } from './describe'
import type { Drivers } from '../drivers'
import { createEngineLook, type EngineLookParts } from './backends'
import type { SettingsStore } from '../base'
import type { DeviceRunner } from '../device-loop'

export interface DeviceRegistry {
  list(): Device[]
  /** Throws Failure `not-found`. */
  get(id: string): Device
  configure(
    id: string,
    change: {
      enabled?: boolean
      threads?: number
      temperatureLimitCelsius?: number | undefined
      powerLimitWatts?: number | undefined
    },
  ): void
  /** Settles when the processor's engines are known, looking at the first call; until then the list has the safe ones. */
  ready(): Promise<void>
  /** Settles when every device was tried. */
  settled(): Promise<void>
  /** Looks at the machine again. */
  refresh(): Promise<void>
  /** From now on it does not mine, also after a start, until `endQuarantine`. Not for devices of drivers: those follow theirs. */
  quarantine(id: string, reason: string): void
  endQuarantine(id: string): void
  /** what the engines for graphics processors open; null: it is none of this computer's */
  adapter(id: string): GpuAdapter | null
  /** They failed: it goes on with its vector units, also after a start, as long as it has this graphics driver. */
  dropMatrixUnits(id: string): void
  runner(id: string): DeviceRunner
  runners(): DeviceRunner[]
  /** It is gone with its driver; another driver's device may come under its name. */
  forget(id: string): void
  /** those that are on and can work */
  usableRunners(): DeviceRunner[]
  /** °C now and the limit at which it pauses */
  heat(id: string): { celsius: number | null; limitCelsius: number }
  /** what every device that is on and can mine takes when it works as hard as it can */
  fullLoadPowers(): DevicePower[]
}

export interface DeviceRegistryParts {
  inventory: SensorInventory
  readInventory: () => Promise<SensorInventory>
  settings: SettingsStore
  /** whether the native engine gave the right digests on this machine; never rejects */
  nativeWorks: () => Promise<boolean>
  /** what works on an adapter; never rejects */
  gpuEngines: EngineLookParts['gpuEngines']
  createRunner: (device: DeviceDescriptor) => DeviceRunner
  drivers: Pick<Drivers, 'devices' | 'ready' | 'ownerOf' | 'powerLimits'>
  powers: Pick<DevicePowers, 'of' | 'atFullLoad' | 'refresh'>
  /** what a model is called, by its hash */
  modelName: (hash: string) => string
  rate: (deviceId: string) => { macsPerSecond: number | null; macsPerJoule: number | null }
  onForgotten: (deviceId: string) => void
  /** a device can do more than was known */
  onFound: () => void
  onChange: () => void
}

export function createDeviceRegistry(parts: DeviceRegistryParts): DeviceRegistry {
  const { settings, powers } = parts
  let inventory = parts.inventory
  const runners = new Map<string, DeviceRunner>()

  const look = createEngineLook({
    inventory: () => inventory,
    nativeWorks: parts.nativeWorks,
    gpuEngines: parts.gpuEngines,
    mayUseMatrixUnits: (id) => settings.device(id).matrixUnitsFailedUnder !== driverOf(id),
    driversReady: () => parts.drivers.ready(),
    onFound: () => {
      parts.onFound()
      parts.onChange()
    },
  })

  const driverOf = (id: string): string => inventory.gpus.find((gpu) => gpu.id === id)?.driver ?? ''

  const descriptors = (): DeviceDescriptor[] => [
    ...describeDevices(inventory, settings.devices, look.cpu, look.gpus).map(heldBack),
    ...parts.drivers.devices(settings.devices, inventory.memoryBytes),
  ]
  const heldBack = (found: DeviceDescriptor): DeviceDescriptor => {
    if (look.underWay.has(found.id)) return { ...found, reason: 'It is being tried.' }
    const { quarantine } = settings.device(found.id)
    if (quarantine === undefined) return found
    return { ...found, canMine: false, quarantined: true, reason: `Quarantined: ${quarantine}.` }
  }
  const runnerFor = (device: DeviceDescriptor): DeviceRunner => {
    const known = runners.get(device.id)
    if (known) return known
    const runner = parts.createRunner(device)
    runners.set(device.id, runner)
    return runner
  }

  const describe = (found: DeviceDescriptor): Device => {
    const runner = found.canMine ? runnerFor(found) : null
    const power = powers.of(found.id)
    const rate = parts.rate(found.id)
    // The last minute's mean of a device that has stopped is no reading.
    const isWorking = runner !== null && runner.state !== 'idle' && runner.state !== 'faulted'
    const reason = found.reason ?? runner?.reason ?? undefined
    const engine = runner?.engine ?? found.engines[0] ?? null
    return deviceSchema.parse({
      id: found.id,
      kind: found.kind,
      name: found.name,
      state: stateOf(found, runner),
      activity: runner?.activity ?? '',
      macsPerSecond: isWorking ? (rate.macsPerSecond ?? runner.macsPerSecond) : null,
      engines: found.engines,
      engine,
      memoryBytes: found.memoryBytes,
      memoryUsedBytes: runner?.residentBytes ?? null,
      loadedModels: (runner?.loadedModels ?? [])
        .map(({ hash, bytes }) => ({ hash, name: parts.modelName(hash), bytes }))
        .toReversed(),
      canMine: found.canMine,
      ...(reason === undefined || reason === '' ? {} : { reason }),
      enabled: found.enabled,
      quarantined: found.quarantined ?? false,
      benchmark: runner?.benchmarkProgress ?? null,
      detail: detailOf(found, engine === null ? null : engineUses(found, engine)),
      threads: found.threads,
      watts: power.watts,
      wattsCertainty: power.certainty,
      wattsSource: power.source,
      energyFrom: power.counterJoules !== undefined ? 'counter' : power.watts !== null ? 'power' : null,
      macsPerJoule: isWorking ? rate.macsPerJoule : null,
      temperatureCelsius: power.temperatureCelsius,
      temperatureLimitCelsius: temperatureLimit(found.id, found.kind),
      powerLimit: parts.drivers.powerLimits.of(found.id),
      restarts: runner?.restarts ?? 0,
    })
  }

  const detailOf = (
    { vendor, cores, logicalCores, instructionSets, driver }: DeviceDescriptor,
    uses: string | null,
  ): Device['detail'] => ({
    vendor,
    instructionSets,
    ...(cores === undefined ? {} : { cores }),
    ...(logicalCores === undefined ? {} : { logicalCores }),
    ...(driver === undefined ? {} : { driver }),
    ...(uses === null ? {} : { engineUses: uses }),
  })

  const temperatureLimit = (id: string, kind: string): number =>
    settings.device(id).temperatureLimitCelsius ?? defaultTemperatureLimit(kind)

  const find = (id: string): DeviceDescriptor => {
    const found = descriptors().find((device) => device.id === id)
    if (!found) {
      const known = descriptors().map((device) => device.id)
      throw new Failure('not-found', `there is no device "${id}"`, `Known devices: ${known.join(', ')}.`)
    }
    return found
  }

  return {
    list: () => descriptors().map(describe),
    get: (id) => describe(find(id)),
    configure: (id, change) => {
      const found = find(id)
      const { powerLimitWatts } = change
      if (powerLimitWatts !== undefined) parts.drivers.powerLimits.check(id, powerLimitWatts)
      if (change.threads !== undefined) {
        const maximum = found.threads?.maximum ?? 0
        if (change.threads > maximum) {
          throw new Failure('invalid-input', `${found.name} has ${maximum} threads`, `Choose 1 to ${maximum}.`)
        }
        runnerFor(found).setThreads(change.threads)
      }
      settings.changeDevice(id, change)
      const runner = runners.get(id)
      const isMining = runner !== undefined && runner.engine !== null && runner.reason === null
      if ('powerLimitWatts' in change && isMining) void parts.drivers.powerLimits.begin(id)
      parts.onChange()
    },
    ready: look.ready,
    settled: look.settled,
    refresh: async () => {
      inventory = await parts.readInventory()
      await look.lookAtGpus()
      powers.refresh(inventory)
      parts.onChange()
    },
    quarantine: (id, reason) => {
      settings.changeDevice(find(id).id, { quarantine: reason })
      parts.onChange()
    },
    endQuarantine: (id) => {
      settings.changeDevice(find(id).id, { quarantine: undefined })
      parts.onChange()
    },
    adapter: (id) => descriptors().find((device) => device.id === id)?.adapter ?? null,
    dropMatrixUnits: (id) => {
      look.dropMatrixUnits(id)
      settings.changeDevice(id, { matrixUnitsFailedUnder: driverOf(id) })
      parts.onChange()
    },
    runner: (id) => runnerFor(find(id)),
    runners: () => [...runners.values()],
    forget: (id) => {
      runners.delete(id)
      parts.onForgotten(id)
    },
    usableRunners: () =>
      descriptors()
        .filter((device) => device.canMine && device.enabled)
        .map(runnerFor),
    heat: (id) => ({
      celsius: powers.of(id).temperatureCelsius,
      limitCelsius: temperatureLimit(id, find(id).kind),
    }),
    fullLoadPowers: () =>
      descriptors()
        .filter((device) => device.canMine && device.enabled)
        .map((device) => powers.atFullLoad(device.id)),
  }
}

/** One that is quarantined is shown like one that stopped by itself. */
function stateOf(found: DeviceDescriptor, runner: DeviceRunner | null): Device['state'] {
  if (found.quarantined === true) return 'faulted'
  if (!found.canMine) return 'unable'
  return found.enabled || runner?.benchmarkProgress != null ? (runner?.state ?? 'idle') : 'off'
}
