/** The engine as the shell sees it: one interface for both ways of running it. */
import type { MessagePortMain } from 'electron'
import { engineToShell, type EngineToShell } from '#process/desktop-messages'
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

/** A message that only one way of running the engine handles: about processes and clients. */
export type HostMessage = Exclude<EngineToShell, { type: 'ready' | 'failed' | 'quit-asked' }>

/** Parses a message of the engine and calls its listener, or `onHostMessage`. A message that cannot be parsed is logged. */
export function receiveFromEngine(
  raw: unknown,
  listeners: EngineListeners,
  onHostMessage: (message: HostMessage) => void,
): void {
  const parsed = engineToShell.safeParse(raw)
  if (!parsed.success) {
    console.error(`lode: a message of the engine was not understood: ${parsed.error.message}`)
    return
  }
  const message = parsed.data
  switch (message.type) {
    case 'ready':
      return listeners.onReady({ version: message.version })
    case 'failed':
      return listeners.onFailed(message.failure)
    case 'quit-asked':
      return listeners.onQuitAsked()
    case 'client-message':
    case 'client-closed':
    case 'start-process':
    case 'kill-process':
      return onHostMessage(message)
  }
}

export type StartEngine = (listeners: EngineListeners) => EngineProcess
