/** The engine as the shell sees it: one interface for both ways of running it. */
import type { MessagePortMain } from 'electron'
import type { SupervisedProcess } from '#process/supervisor'
import type { FailureValue } from '#shared/domain/errors'

/** Our own programs, absolute paths. */
export interface Programs {
  engine: string
  worker: string
  sensors: string
}

export interface EngineListeners {
  onReady(info: { version: string }): void
  onFailed(failure: FailureValue): void
  /** somebody asked the engine to end for good */
  onQuitAsked(): void
}

/** `exited` settles when the processes that the shell started for the engine are gone as well. */
export interface EngineProcess extends SupervisedProcess {
  /** Hands a screen's port over. The other end closes, at the latest, when the engine ends. */
  connect(port: MessagePortMain): void
  /** asks it to end */
  quit(): void
}

export type StartEngine = (listeners: EngineListeners) => EngineProcess
