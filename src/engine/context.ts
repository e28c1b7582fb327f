/** What the engine's parts share, put together in engine.ts. Handlers take it and nothing else. */
import type { Coordinator } from '#coordinator/coordinator'
import type { JobKind } from '#shared/domain/job'
import type { SignatureVerifier, Signer } from '#shared/domain/signed'
import type { Clock } from '#process/supervisor'
import type { Benchmarks } from './benchmark'
import type { DeviceRegistry } from './devices'
import type { Drivers, KeptDriverChecks } from './drivers'
import type { EngineEvents, Log, SettingsStore } from './base'
import type { Ledger, Metrics } from './ledger'
import type { DevicePowers, Live } from './power'
import type { Mining, ThrottleState } from './mining'
import type { ModelAccess } from './models'
import type { NetworkState, Submissions } from './network'
import type { EngineStatus, Notice } from '#shared/contract/engine'

export interface EngineContext extends ModelAccess {
  version: string
  dataDir: string
  clock: Clock
  log: Log
  /** its files are closed: nothing more can be written */
  isClosed: () => boolean
  events: EngineEvents
  ledger: Ledger
  metrics: Metrics
  settings: SettingsStore
  throttle: ThrottleState
  devices: DeviceRegistry
  /** what each device takes and how warm it is */
  powers: Pick<DevicePowers, 'of'>
  benchmarks: Benchmarks
  drivers: Drivers
  driverChecks: KeptDriverChecks
  live: Live
  mining: Mining
  /** kinds of which a model is ready, each once */
  readyKinds: () => JobKind[]
  network: Coordinator
  networkState: NetworkState
  submissions: Submissions
  signer: Signer
  signatures: SignatureVerifier
  ids: { uuid(): string }
  /** said while opening: what was set aside or begun anew */
  openingNotices: Notice[]
  status: () => EngineStatus
  logFile: string | null
  /** asked for by `engine.quit` */
  requestQuit: () => void
}
