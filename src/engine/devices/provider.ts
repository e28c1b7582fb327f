/** A source of devices. The computer itself is one, the drivers that the person added are another; both are asked the same. */
import type { PowerLimit } from '#shared/contract/devices'
import type { Failure } from '#shared/domain/errors'
import type { Message } from '#shared/domain/messages'
import type { WorkerStart } from '#shared/ipc/worker'
import type { ProcessHost } from '#process/host'
import type { DeviceDescriptor, DeviceSettings } from './describe'

export interface DeviceProvider {
  /** The devices that are known now, with the person's settings. `computerMemoryBytes`: used for devices without memory of their own. */
  devices(settings: Readonly<Record<string, DeviceSettings>>, computerMemoryBytes: number): DeviceDescriptor[]
  /** Settles when each of its devices was tried once in this run. Never rejects. */
  settled(): Promise<void>
  /** null: the device is not this provider's */
  driving(deviceId: string): DeviceDriving | null
}

/** A fault of a device, which its provider judges. */
export type DeviceFault =
  | { kind: 'stopped'; fault: Failure }
  /** the network refused a share that was found at `foundAt`, UTC ms */
  | { kind: 'wrong-digest'; foundAt: number }
  | { kind: 'wrong-results'; reason: Message }

/** How one device is driven, and how its provider judges its faults. */
export interface DeviceDriving {
  /** what its worker opens; empty: the processor */
  workerStart: Pick<WorkerStart, 'driver' | 'gpu'>
  /** Starts its worker. */
  host: ProcessHost
  /** A worker without an answer in this time hangs. Absent: the usual limits. */
  hangMilliseconds?: number
  /** false: the device only proves; useful jobs run on the processor, which has a worker of its own */
  runsJobs: boolean
  /** null: it has no limit that Lode can set */
  powerLimit: DevicePowerLimit | null
  /**
   * Judges a fault. `quarantined`: the device does not work until the person retries. `reopened`: its next worker opens it in
   * another way. `ignored`: the fault says nothing against the device.
   */
  judge(fault: DeviceFault): 'quarantined' | 'reopened' | 'ignored'
  /** Ends the quarantine: the person tries the device again. */
  retry(): Promise<void>
}

export interface DevicePowerLimit {
  /** null: the device was not asked yet, or has no power limit */
  current(): PowerLimit | null
  /** Throws a Failure that names the range. */
  check(watts: number): void
  /** Mining begins: sets the limit that the person wants. Never rejects. */
  begin(): Promise<void>
  /** Mining ends: restores the limit that the device had. Never rejects. */
  end(): Promise<void>
}
