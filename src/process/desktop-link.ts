/** What the engine's process and the desktop shell have to do with each other, however the engine was started. */
import type { FailureValue } from '#shared/domain/errors'
import type { ProcessHost } from './host'
import type { Port } from './port'

export interface DesktopLink {
  /** starts workers and sensors */
  host: ProcessHost
  /** Called for every screen that connects. Screens that connected before the listener was set are not lost. */
  onClient(listener: (port: Port) => void): void
  /** From now on screens are connected to this engine. */
  ready(info: { version: string }): void
  /** The engine cannot run: the window says so with the sentence and its action. The engine ends after it. */
  failed(failure: FailureValue): void
  /** A client asked the engine to end for good: the shell ends with it, and says so by onQuit. */
  quit(): void
  /** The shell asks the engine to end (it waits 3 s), or is gone. Called once. */
  onQuit(listener: () => void): void
}
