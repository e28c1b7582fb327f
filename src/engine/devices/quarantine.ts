/** What becomes of a device that computed wrongly, was lost or hangs. The others go on. */
import type { Failure } from '#shared/domain/errors'
import type { Clock } from '#process/supervisor'
import type { DeviceRegistry } from './registry'
import type { Drivers } from '../drivers'
import type { EngineEvents, Log } from '../base'
import type { Ledger } from '../ledger'
import type { Mining } from '../mining'

export interface Quarantine {
  /**
   * The device stops until the person retries: with its whole driver, if it has one. A graphics processor that computed on
   * its matrix units goes on with its vector units instead. `reason`: in a sentence's words.
   */
  put(deviceId: string, reason: string): Promise<void>
  /** A graphics processor stopped. One that merely refused the work may be started again as it is. */
  onGpuFault(deviceId: string, fault: Failure): void
}

export interface QuarantineParts {
  devices: Pick<DeviceRegistry, 'quarantine' | 'dropMatrixUnits' | 'adapter' | 'runner' | 'forget'>
  drivers: Pick<Drivers, 'ownerOf' | 'quarantine'>
  mining: () => Pick<Mining, 'devicesChanged'>
  ledger: Pick<Ledger, 'recordEvent' | 'workRow'>
  events: Pick<EngineEvents, 'on'>
  log: Pick<Log, 'warn' | 'error'>
  clock: Pick<Clock, 'now'>
}

/** A graphics processor whose share the network refuses as computed wrongly is put there too. */
export function createQuarantine(parts: QuarantineParts): Quarantine {
  const { devices, drivers, mining, ledger, log, clock } = parts
  /** by device: what it found before says nothing about how it computes now */
  const changedAt = new Map<string, number>()

  const put: Quarantine['put'] = async (deviceId, reason) => {
    const runner = devices.runner(deviceId)
    const owner = drivers.ownerOf(deviceId)
    changedAt.set(deviceId, clock.now())
    const dropsUnits = owner === null && devices.adapter(deviceId)?.matrixUnits === true
    if (owner !== null) drivers.quarantine(owner.driver, `${deviceId}: ${reason}`)
    else if (dropsUnits) {
      devices.dropMatrixUnits(deviceId)
      record('warning', 'matrix-units-dropped', `${deviceId} goes on without its matrix units: ${reason}.`)
    } else {
      devices.quarantine(deviceId, reason)
      record('error', 'device-quarantined', `${deviceId} is quarantined: ${reason}.`)
    }
    await runner.stop()
    // Its next runner opens the adapter the other way.
    if (dropsUnits) devices.forget(deviceId)
    await mining().devicesChanged()
  }
  const record = (severity: 'warning' | 'error', code: string, message: string): void => {
    log.warn(message, {})
    ledger.recordEvent({ severity, code, message })
  }

  const putInBackground = (deviceId: string, reason: string): void => {
    put(deviceId, reason).catch((error: unknown) =>
      log.error('a device could not be quarantined', { device: deviceId, error: String(error) }),
    )
  }

  // The network recomputes what is submitted.
  parts.events.on('share.changed', ({ id, deviceId, state, code }) => {
    if (state !== 'rejected' || code !== 'wrong-digest' || devices.adapter(deviceId) === null) return
    const foundAt = ledger.workRow(id)?.at ?? 0
    if (foundAt >= (changedAt.get(deviceId) ?? 0)) putInBackground(deviceId, 'it submitted a wrong digest')
  })

  return {
    put,
    onGpuFault: (deviceId, fault) => {
      if (fault.code === 'driver-fault' || devices.adapter(deviceId)?.matrixUnits === true)
        putInBackground(deviceId, fault.message)
    },
  }
}
