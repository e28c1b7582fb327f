/** A source of devices. The computer itself is one, the drivers that the person added are another; both are asked the same. */
import type { PowerLimit } from '#shared/contract/devices'
import type { Failure } from '#shared/domain/errors'
import type { WorkerStart } from '#shared/ipc/worker'
import type { ProcessHost } from '#process/host'
import type { DeviceDescriptor, DeviceSettings } from './describe'

export interface DeviceProvider {
  /** Its devices as they are known now, with the person's settings. `computerMemoryBytes`: for those without memory of their own. */
  devices(settings: Readonly<Record<string, DeviceSettings>>, computerMemoryBytes: number): DeviceDescriptor[]
  /** Settles when each of its devices was tried once in this run. Never rejects. */
  settled(): Promise<void>
  /** null: the device is not this provider's */
  driving(deviceId: string): DeviceDriving | null
}

/** What happened to a device, for its provider to judge. */
export type DeviceFault =
  | { kind: 'stopped'; fault: Failure }
  /** the network refused a share that was found at `foundAt`, UTC ms */
  | { kind: 'wrong-digest'; foundAt: number }
  /** `reason`: in the words of a sentence */
  | { kind: 'wrong-results'; reason: string }

/** How one device is driven, and what its provider does about its faults. */
export interface DeviceDriving {
  /** what its worker opens; empty: the processor */
  workerStart: Pick<WorkerStart, 'driver' | 'gpu'>
  /** Starts its worker. */
  host: ProcessHost
  /** One that gives no answer for so long hangs. Absent: the usual limits. */
  hangMilliseconds?: number
  /** false: it proves and does nothing else; useful jobs run on the processor, which has a worker of its own */
  runsJobs: boolean
  /** null: it has no limit that Lode can set */
  powerLimit: DevicePowerLimit | null
  /**
   * Judges a fault. `held`: the device works no more until the person retries. `reopened`: it goes on in another way, which
   * its next worker opens. `ignored`: the fault says nothing against the device.
   */
  judge(fault: DeviceFault): 'held' | 'reopened' | 'ignored'
  /** The person tries it again. */
  retry(): Promise<void>
}

export interface DevicePowerLimit {
  /** null: it was not asked yet, or has none */
  current(): PowerLimit | null
  /** Throws a Failure that names the range. */
  check(watts: number): void
  /** It mines from now on: sets what the person wants. Never rejects. */
  begin(): Promise<void>
  /** It mines no more: puts back what the device had. Never rejects. */
  end(): Promise<void>
}
