/** Drivers tied to the rest of the engine: who is told of a change, and what a wrong digest of a driver's device leads to. */
import type { Clock } from '#process/supervisor'
import type { DeviceRegistry } from '../devices'
import type { EngineEvents } from '../base'
import type { Mining } from '../mining'
import { createDrivers, type Drivers, type DriversParts } from './drivers'
import { createDriverSensors, type DriverSensors } from '../power'

export interface DriverSupportParts extends Omit<DriversParts, 'onChange' | 'ask' | 'now'> {
  clock: Clock
  events: EngineEvents
  devices: () => DeviceRegistry
  mining: () => Mining
  onChange: () => void
}

export function createDriverSupport(parts: DriverSupportParts): { drivers: Drivers; driverSensors: DriverSensors } {
  const { events, log, clock } = parts
  const drivers = createDrivers({
    ...parts,
    now: () => clock.now(),
    ask: (deviceId, method, params) => parts.devices().runner(deviceId).askDriver(method, params),
    onChange: () => {
      events.emit('drivers.changed', drivers.list())
      parts.onChange()
      // a quarantined driver's devices stop; the others go on
      parts
        .mining()
        .devicesChanged()
        .catch((error: unknown) => log.error('devices could not follow their drivers', { error: String(error) }))
    },
  })
  // The network recomputes what is submitted. Work that it refused as computed wrongly ends trust in the driver at once.
  events.on('share.changed', ({ id, deviceId, state, code }) => {
    if (state === 'rejected' && code === 'wrong-digest')
      drivers.onWrongDigest(deviceId, parts.ledger.workRow(id)?.at ?? 0)
  })
  const driverSensors = createDriverSensors(clock, () =>
    parts
      .devices()
      .runners()
      .filter((runner) => drivers.ownerOf(runner.deviceId) !== null),
  )
  return { drivers, driverSensors }
}
