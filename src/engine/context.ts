/** What the engine's parts share, put together in engine.ts. Handlers take it and nothing else. */
import type { Coordinator } from '#pool/coordinator'
import type { JobKind } from '#shared/domain/job'
import type { SignatureVerifier, Signer } from '#shared/domain/signed'
import type { Clock } from '#process/supervisor'
import type { Benchmarks } from './benchmarks'
import type { DeviceRegistry } from './device-registry'
import type { Drivers } from './drivers'
import type { KeptDriverChecks } from './drivers/kept-checks'
import type { EngineEvents } from './emitter'
import type { Ledger, Metrics } from './ledger'
import type { Live } from './live'
import type { Log } from './log'
import type { Mining } from './mining'
import type { ModelSupport } from './model-support'
import type { ModelLibrary, ModelStore } from './models'
import type { SettingsStore } from './settings'
import type { ThrottleState } from './throttle'
import type { NetworkState } from './work/network-state'
import type { Submissions } from './work/submissions'
import type { EngineStatus, Notice } from '#shared/contract/engine'

export interface EngineContext {
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
  models: ModelStore
  /** kinds of which a model is ready, each once */
  readyKinds: () => JobKind[]
  library: ModelLibrary
  downloads: ModelSupport['downloads']
  addUpload: ModelSupport['addUpload']
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
