/** The engine's side of the processes that compute and look: worker, verifier, sensors. */
export { probeBackend, type BackendFinding } from './backend-probe'
export { createDriverChannel, type AskDriver, type DriverChannel, type DriverMethod } from './driver-channel'
export { recompute } from './recompute'
export { createSensorsClient } from './sensors-client'
export { startVerifier, type VerifierClient } from './verifier'
export { startWorker, type WorkerClient, type WorkerClientOptions } from './worker-client'
