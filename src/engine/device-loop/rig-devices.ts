/** The rig's devices at work, and the view of them for the screens. Each device that can work has a loop, which is made when it is first needed. */
import type { Device } from '#shared/contract/devices'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { DriverMethod, VerifierClient } from '../workers'
import { createSignal, type Signal, type SettingsStore } from '../base'
import { viewDevice, type DeviceDescriptor, type DeviceDriving, type DeviceRegistry } from '../devices'
import type { UsableModels } from '../models'
import { defaultTemperatureLimit, type DevicePower, type DevicePowers, type Live, type SensorReadings } from '../power'
import type { DriverChannel } from '../workers'
import { createDeviceRunner } from './device-runner'
import type { DeviceLoopContext, DeviceRunner } from './device-types'

export interface DeviceChange {
  enabled?: boolean
  threads?: number
  temperatureLimitCelsius?: number | undefined
  powerLimitWatts?: number | undefined
}

export interface RigDevices {
  list(): Device[]
  /** Throws Failure `not-found`. */
  get(id: string): Device
  /** Throws Failure `not-found`, `invalid-input`. */
  configure(id: string, change: DeviceChange): void
  /** Throws Failure `not-found`. */
  runner(id: string): DeviceRunner
  /** the loops that were made */
  runners(): DeviceRunner[]
  /** the loops of the devices that are on and can work */
  usableRunners(): DeviceRunner[]
  /** Drops the loop of a device that was removed with its driver or is opened in another way: the next device of that name gets a new loop. */
  forget(id: string): void
  /** power at full load of every device that is on and can mine */
  fullLoadPowers(): DevicePower[]
  /** °C now and the limit at which it pauses */
  heat(id: string): { celsius: number | null; limitCelsius: number }
  /** emitted when a fault of a device ended its loop */
  readonly onFault: Signal<{ deviceId: string; fault: Failure }>
}

export interface RigDevicesOptions extends DeviceLoopContext {
  registry: DeviceRegistry
  settings: SettingsStore
  models: UsableModels
  verifier: Pick<VerifierClient, 'prepare'>
  powers: DevicePowers
  live: Live
  sensorReadings: Pick<SensorReadings, 'read'>
  channel: DriverChannel
}

export function createRigDevices(options: RigDevicesOptions): RigDevices {
  const { rig, registry, settings, powers, live, sensorReadings, channel, models } = options
  const { ledger, log } = rig
  const runners = new Map<string, DeviceRunner>()
  const onFault = createSignal<{ deviceId: string; fault: Failure }>()

  const temperatureLimit = ({ id, kind }: DeviceDescriptor): number =>
    settings.device(id).temperatureLimitCelsius ?? defaultTemperatureLimit(kind)
  const heat = (id: string): { celsius: number | null; limitCelsius: number } => ({
    celsius: powers.of(id).temperatureCelsius,
    limitCelsius: temperatureLimit(registry.find(id)),
  })

  /** Makes the weights ready in the verifier before the unit's first share. Only those of the unit's tier: preparing others would delay its shares. */
  const prepareVerifier = (context: Parameters<VerifierClient['prepare']>[0]): void => {
    options.verifier.prepare(context).catch((error: unknown) => {
      const stopped = error instanceof Failure && error.code === 'cancelled'
      if (!stopped) log.warn('the verifier is not ready', { error: String(error) })
    })
  }

  const createRunner = (device: DeviceDescriptor): DeviceRunner => {
    const { id } = device
    const driving = registry.driving(id)
    const isDrivers = driving.workerStart.driver !== undefined
    const { powerLimit, hangMilliseconds } = driving
    const runner = createDeviceRunner(options, {
      deviceId: id,
      threads: device.threads?.inUse ?? 1,
      memoryBytes: device.memoryBytes,
      host: driving.host,
      workerStart: driving.workerStart,
      models: driving.runsJobs ? models.runnable : () => [],
      ...(hangMilliseconds === undefined ? {} : { deadlines: deadlinesOf(hangMilliseconds) }),
      ...(powerLimit === null
        ? {}
        : {
            whileMining: {
              begin: async () => {
                await powerLimit.begin()
                await sensorReadings.read(id)
              },
              end: powerLimit.end,
            },
          }),
      heat: () => heat(id),
      energyNow: () => live.energyNow(id),
      onFault: (fault) => onFault.emit({ deviceId: id, fault }),
      onUnit: (unit) => {
        ledger.recordUnit(unit, id, options.link.networkName)
        prepareVerifier({ tier: unit.body.tier, epochSeed: options.link.networkState.current.epoch.seed })
      },
      onWork: (work) => live.onWork(id, work),
    })
    if (isDrivers) channel.attach(runner)
    powers.attach(runner)
    live.add(runner)
    ledger.recordDevice({ id, kind: device.kind, name: device.name })
    return runner
  }
  const runnerOf = (device: DeviceDescriptor): DeviceRunner => {
    const known = runners.get(device.id)
    if (known) return known
    const runner = createRunner(device)
    runners.set(device.id, runner)
    return runner
  }

  const view = (found: DeviceDescriptor): Device =>
    viewDevice({
      found,
      work: found.canMine ? runnerOf(found) : null,
      power: powers.of(found.id),
      rate: live.rate(found.id),
      temperatureLimitCelsius: temperatureLimit(found),
      powerLimit: registry.driving(found.id).powerLimit,
      modelName: models.name,
    })
  const usable = (): DeviceDescriptor[] => registry.list().filter((device) => device.canMine && device.enabled)

  return {
    list: () => registry.list().map(view),
    get: (id) => view(registry.find(id)),
    configure: (id, change) => {
      const found = registry.find(id)
      const { powerLimit } = registry.driving(id)
      if (change.powerLimitWatts !== undefined) checkPowerLimit(id, powerLimit, change.powerLimitWatts)
      if (change.threads !== undefined) {
        const maximum = found.threads?.maximum ?? 0
        if (change.threads > maximum) {
          throw new Failure('invalid-input', message('device-threads', { device: found.name, maximum }))
        }
        runnerOf(found).setThreads(change.threads)
      }
      settings.changeDevice(id, change)
      const runner = runners.get(id)
      const isMining = runner !== undefined && runner.backend !== null && runner.reason === null
      if ('powerLimitWatts' in change && isMining) void powerLimit?.begin()
      options.onChange()
    },
    runner: (id) => runnerOf(registry.find(id)),
    runners: () => [...runners.values()],
    usableRunners: () => usable().map(runnerOf),
    forget: (id) => {
      runners.delete(id)
      channel.detach(id)
      powers.detach(id)
      live.remove(id)
    },
    fullLoadPowers: () => usable().map((device) => powers.atFullLoad(device.id)),
    heat,
    onFault,
  }
}

/** The deadlines of a driver's worker: without an answer in that time the driver hangs. Making weights ready may take longer. */
function deadlinesOf(hangMilliseconds: number): Record<DriverMethod | 'proof.prepare' | 'proof.run', number> {
  return {
    'proof.prepare': 3 * hangMilliseconds,
    'proof.run': hangMilliseconds,
    'driver.sensors': hangMilliseconds,
    'driver.powerLimit': hangMilliseconds,
    'driver.setPowerLimit': hangMilliseconds,
  }
}

function checkPowerLimit(id: string, powerLimit: DeviceDriving['powerLimit'], watts: number): void {
  if (powerLimit === null) throw new Failure('invalid-input', message('device-no-power-limit', { device: id }))
  powerLimit.check(watts)
}
