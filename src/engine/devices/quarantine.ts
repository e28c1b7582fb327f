/** Quarantine of devices that computed wrongly, were lost or hang: the provider judges, the device stops, and the others go on. */
import type { Message } from '#shared/domain/messages'
import type { RigContext } from '../base'
import type { DeviceFault } from './provider'
import type { DeviceRegistry } from './registry'

export interface Quarantine {
  /**
   * Stops the device until the person retries: with its whole driver, if it has one. A graphics processor that computed on
   * its matrix units goes on with its vector units instead.
   */
  put(deviceId: string, reason: Message): Promise<void>
  /** Reports a fault of a device. Its provider judges the fault in the background. */
  report(deviceId: string, fault: DeviceFault): void
}

export interface QuarantineOptions {
  registry: Pick<DeviceRegistry, 'driving'>
  stop: (deviceId: string) => Promise<void>
  /** drops the loop of a device, whose next worker opens it in another way */
  forget: (deviceId: string) => void
  /** called after devices were quarantined or opened anew: mining starts and stops devices accordingly */
  devicesChanged: () => Promise<void>
}

/** Also reports each device whose share the network refused as computed wrongly: the network recomputes what is submitted. */
export function createQuarantine(
  { events, ledger, log }: Pick<RigContext, 'events' | 'log'> & { ledger: Pick<RigContext['ledger'], 'workRow'> },
  options: QuarantineOptions,
): Quarantine {
  const apply = async (deviceId: string, fault: DeviceFault): Promise<void> => {
    const verdict = options.registry.driving(deviceId).judge(fault)
    if (verdict === 'ignored') return
    await options.stop(deviceId)
    if (verdict === 'reopened') options.forget(deviceId)
    await options.devicesChanged()
  }
  const report: Quarantine['report'] = (deviceId, fault) => {
    apply(deviceId, fault).catch((error: unknown) =>
      log.error('a device could not be quarantined', { device: deviceId, error: String(error) }),
    )
  }
  events.on('share.changed', ({ id, deviceId, state, code }) => {
    if (state === 'refused' && code === 'wrong-digest')
      report(deviceId, { kind: 'wrong-digest', foundAt: ledger.workRow(id)?.at ?? 0 })
  })
  return { put: (deviceId, reason) => apply(deviceId, { kind: 'wrong-results', reason }), report }
}
