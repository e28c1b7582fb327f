/** What the engine's parts share, put together in engine.ts. Handlers take it and nothing else. */
import type { Coordinator } from '#coordinator/coordinator'
import type { JobKind } from '#shared/domain/job'
import type { SignatureVerifier, Signer } from '#shared/domain/signed'
import type { Clock } from '#process/supervisor'
import type { Benchmarks } from './benchmark/benchmarks'
import type { DeviceRegistry } from './devices/registry'
import type { Drivers } from './drivers/drivers'
import type { KeptDriverChecks } from './drivers/kept-checks'
import type { EngineEvents } from './base/events'
import type { Ledger, Metrics } from './ledger'
import type { Live } from './power/live'
import type { Log } from './base/log'
import type { Mining } from './mining/mining'
import type { ModelAccess } from './models/support'
import type { SettingsStore } from './base/settings'
import type { ThrottleState } from './mining/throttle'
import type { NetworkState } from './network/network-state'
import type { Submissions } from './network/submissions'
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
