/** The child's side: its port to whoever started it, and the rule that it ends when that port closes. */
import type { Port } from './port'

/** Electron's utility process: only the members we use (its types belong to the shell). */
interface UtilityParentPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown; ports: UtilityMessagePort[] }) => void): void
}
interface UtilityMessagePort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown }) => void): void
  on(event: 'close', listener: () => void): void
  start(): void
  close(): void
}

/**
 * The port to the process that started this one. Under fork that is the IPC channel; in a utility process the first
 * message of the parent brings a MessagePort to the engine. Ends this process as soon as the port closes, so that
 * nothing outlives a killed engine: first politely, after a second by signal.
 */
export async function connectParent(): Promise<Port> {
  const port = await openParentPort()
  port.onClose(() => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1000)
    process.exit(0)
  })
  return port
}

function openParentPort(): Promise<Port> {
  const utility = (process as unknown as { parentPort?: UtilityParentPort }).parentPort
  if (utility) {
    return new Promise((resolve) => {
      utility.on('message', (event) => {
        const channel = event.ports[0]
        if (!channel) return
        resolve(fromUtilityPort(channel))
        channel.start()
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

export function fromUtilityPort(channel: UtilityMessagePort): Port {
  return {
    send: (message) => channel.postMessage(message),
    onMessage: (listener) => channel.on('message', (event) => listener(event.data)),
    onClose: (listener) => channel.on('close', listener),
    close: () => channel.close(),
  }
}

/** What the parent gave this program as its one argument. */
export function startArgument(): unknown {
  return JSON.parse(process.argv.at(-1) ?? 'null')
}
