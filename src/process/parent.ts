/** The child's side: its port to whoever started it, and the rule that it ends when that port closes. */
import type { Port } from './port'
import { fromUtilityPort, utilityParentPort } from './utility-port'

/**
 * The port to the process that started this one. Under fork that is the IPC channel; in a utility process the first
 * message of the parent brings a MessagePort to the engine. Ends this process as soon as the port closes, so that
 * nothing outlives a killed engine: first politely, after a second by signal.
 */
export async function connectParent(): Promise<Port> {
  // Ctrl-C in a terminal reaches every process of the group; the engine decides when its own processes end.
  process.on('SIGINT', () => undefined)
  const port = await openParentPort()
  port.onClose(() => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1000)
    process.exit(0)
  })
  return port
}

function openParentPort(): Promise<Port> {
  const utility = utilityParentPort()
  if (utility) {
    return new Promise((resolve) => {
      utility.on('message', (event) => {
        const channel = event.ports[0]
        if (channel) resolve(fromUtilityPort(channel))
      })
    })
  }
  if (!process.send) throw new Error('this program is started by Lode, not by hand')
  return Promise.resolve({
    send: (message: unknown) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
    },
    onMessage: (listener: (message: unknown) => void) => void process.on('message', listener),
    onClose: (listener: () => void) => void process.once('disconnect', listener),
    close: () => process.disconnect(),
  })
}

/** What the parent gave this program as its one argument. */
export function startArgument(): unknown {
  return JSON.parse(process.argv.at(-1) ?? 'null')
}
