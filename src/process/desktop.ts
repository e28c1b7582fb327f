/** The engine's side of the desktop: its link to the shell, whether it runs as a utility process or under Node. */
import type { FailureValue } from '#shared/domain/errors'
import { connectFork } from './desktop-fork'
import { connectUtility } from './desktop-utility'
import type { ProcessHost } from './host'
import type { Port } from './port'
import { utilityParentPort } from './utility-port'

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

/** `programFolder` holds worker.js and sensors.js; used under Node only, since a utility process cannot start others. */
export async function connectDesktop(programFolder: string): Promise<DesktopLink> {
  const parent = utilityParentPort()
  if (parent) return connectUtility(parent)
  if (process.send) return connectFork(programFolder)
  throw new Error('this program is started by Lode, not by hand')
}
