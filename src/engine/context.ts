/** The context of the handlers: the rig, its network, and the parts that engine.ts put together. */
import type { Notice } from '#shared/contract/engine'
import type { SignatureVerifier, Signer } from '#shared/domain/signed'
import type { RigContext, SettingsStore } from './base'
import type { Benchmarks } from './benchmark'
import type { RigDevices } from './device-loop'
import type { DeviceRegistry } from './devices'
import type { Drivers, KeptDriverChecks } from './drivers'
import type { Metrics } from './ledger'
import type { Mining, ThrottleState } from './mining'
import type { ModelAccess } from './models'
import type { NetworkLink } from './network'
import type { DevicePowers, Live } from './power'

export interface EngineContext extends RigContext, NetworkLink, ModelAccess {
  /** whether the files of the engine are closed, so that nothing can be written */
  isClosed: () => boolean
  metrics: Metrics
  settings: SettingsStore
  throttle: ThrottleState
  registry: DeviceRegistry
  devices: RigDevices
  /** power and temperature of each device */
  powers: Pick<DevicePowers, 'of'>
  benchmarks: Benchmarks
  drivers: Drivers
  driverChecks: KeptDriverChecks
  live: Live
  mining: Mining
  signer: Signer
  signatures: SignatureVerifier
  ids: { uuid(): string }
  /** what was moved aside or recreated while opening */
  openingNotices: readonly Notice[]
  logFile: string | null
  /** asked for by `engine.quit` */
  requestQuit: () => void
}
