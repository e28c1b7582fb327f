/** What becomes of a device that computed wrongly, was lost or hangs: its provider judges, its work ends, and the others go on. */
import type { RigContext } from '../base'
import type { DeviceFault } from './provider'
import type { DeviceRegistry } from './registry'

export interface Quarantine {
  /**
   * The device stops until the person retries: with its whole driver, if it has one. A graphics processor that computed on
   * its matrix units goes on with its vector units instead. `reason`: in a sentence's words.
   */
  put(deviceId: string, reason: string): Promise<void>
  /** Something happened to a device; what that means is found out in the background. */
  report(deviceId: string, fault: DeviceFault): void
}

export interface QuarantineOptions {
  registry: Pick<DeviceRegistry, 'driving'>
  stop: (deviceId: string) => Promise<void>
  /** Its next worker opens it in another way. */
  forget: (deviceId: string) => void
  /** Devices were held or opened anew: those that mine follow. */
  devicesChanged: () => Promise<void>
}

/** A device whose share the network refuses as computed wrongly is reported by itself: the network recomputes what is submitted. */
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
    if (state === 'rejected' && code === 'wrong-digest')
      report(deviceId, { kind: 'wrong-digest', foundAt: ledger.workRow(id)?.at ?? 0 })
  })
  return { put: (deviceId, reason) => apply(deviceId, { kind: 'wrong-results', reason }), report }
}
