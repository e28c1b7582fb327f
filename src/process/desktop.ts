/** The engine's side of the desktop: its link to the shell, whether it runs as a utility process or under Node. */
import { connectFork } from './desktop-fork'
import type { DesktopLink } from './desktop-link'
import { connectUtility } from './desktop-utility'
import { utilityParentPort } from './utility-port'

/**
 * `programFolder` holds worker.js and sensors.js; used under Node only, since a utility process cannot start others.
 * Rejects where neither a shell nor a fork started this process.
 */
export async function connectDesktop(programFolder: string): Promise<DesktopLink> {
  const parent = utilityParentPort()
  if (parent) return connectUtility(parent)
  if (process.send) return connectFork(programFolder)
  throw new Error('this program is started by Lode, not by hand')
}
