/** Makes the runner of a device: what all runners share, tied to what is the device's own. */
import { bytesToHex } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import type { DeviceDescriptor } from '../devices'
import type { Drivers } from '../drivers'
import type { Live, SensorReadings } from '../power'
import type { EngineEvents } from '../base'
import type { Ledger } from '../ledger'
import { createDeviceRunner, type DeviceRunner } from './device-runner'
import type { DeviceRunnerParts } from './device-types'
import type { VerifierClient } from '../workers'

export interface RunnerFactoryParts extends Pick<
  DeviceRunnerParts,
  | 'rigKey'
  | 'host'
  | 'clock'
  | 'random'
  | 'log'
  | 'network'
  | 'networkState'
  | 'submissions'
  | 'sampleBudget'
  | 'models'
  | 'jobRates'
  | 'onChange'
  | 'pace'
> {
  ledger: Ledger
  events: EngineEvents
  verifier: Pick<VerifierClient, 'prepare' | 'generate'>
  /** that many unpredictable bytes */
  randomBytes: (bytes: number) => Uint8Array
  live: () => Live
  heat: (deviceId: string) => ReturnType<DeviceRunnerParts['heat']>
  sensorReadings: Pick<SensorReadings, 'read'>
  /** a driver that says nothing for so long hangs */
  driverHangMilliseconds: number
  drivers: Pick<Drivers, 'ownerOf' | 'guardedHost' | 'onFault' | 'powerLimits'>
  /** a graphics driver failed; never rejects */
  onGpuFault: (deviceId: string, fault: Failure) => void
}

export function createRunnerFactory(parts: RunnerFactoryParts): (device: DeviceDescriptor) => DeviceRunner {
  const {
    ledger,
    events,
    verifier,
    randomBytes,
    live,
    heat,
    drivers,
    sensorReadings,
    driverHangMilliseconds,
    onGpuFault,
    ...shared
  } = parts
  /** A driver's device proves and does nothing else: jobs run on the processor, which has a worker of its own. */
  const foreign = (deviceId: string): Partial<DeviceRunnerParts> => {
    const owner = drivers.ownerOf(deviceId)
    if (owner === null) return {}
    return {
      workerStart: { driver: owner.device },
      host: drivers.guardedHost(deviceId),
      models: () => [],
      deadlines: {
        'proof.prepare': 3 * driverHangMilliseconds,
        'proof.run': driverHangMilliseconds,
        'driver.sensors': driverHangMilliseconds,
        'driver.powerLimit': driverHangMilliseconds,
        'driver.setPowerLimit': driverHangMilliseconds,
      },
      whileMining: {
        begin: async () => {
          await drivers.powerLimits.begin(deviceId)
          await sensorReadings.read(deviceId)
        },
        end: () => drivers.powerLimits.end(deviceId),
      },
      onFault: (fault) => drivers.onFault(owner.driver, deviceId, fault),
    }
  }
  return (device) => {
    const runner = createDeviceRunner({
      ...shared,
      ...foreign(device.id),
      deviceId: device.id,
      ...(device.adapter
        ? {
            workerStart: { gpu: device.adapter },
            onFault: (fault: Failure) => onGpuFault(device.id, fault),
          }
        : {}),
      // useful jobs run on the processor, which has a worker of its own
      ...(device.kind === 'gpu' ? { models: () => [] } : {}),
      threads: device.threads?.inUse ?? 1,
      memoryBytes: device.memoryBytes,
      jobParts: { ledger, events },
      heat: () => heat(device.id),
      energyNow: () => live().energyNow(device.id),
      sample: async (kind) => (await verifier.generate(kind, bytesToHex(randomBytes(32)))).input,
      onToken: ({ jobId, text, index }) => events.emit('job.token', { id: jobId, text, index }),
      onUnit: (unit) => {
        ledger.recordUnit(unit, device.id)
        // Ready before the unit's first share. Only the tier in use: the other's weights would stand before its shares.
        verifier
          .prepare({ tier: unit.body.tier, epochSeed: shared.networkState.current.epoch.seed })
          .catch((error: unknown) => {
            const stopped = error instanceof Failure && error.code === 'cancelled'
            if (!stopped) shared.log.warn('the verifier is not ready', { error: String(error) })
          })
      },
      onWork: (work) => live().onWork(device.id, work),
    })
    live().add(runner)
    ledger.recordDevice({ id: device.id, kind: device.kind, name: device.name })
    return runner
  }
}
