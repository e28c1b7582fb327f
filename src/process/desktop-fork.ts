/** The engine under Node, for working on it: it starts its processes itself; screens speak through the shell's channel. */
import type { DesktopLink } from './desktop-link'
import { shellToEngine, type EngineToShell } from './desktop-messages'
import { createBacklog, createSignal } from './desktop-signal'
import { createNodeProcessHost } from './node-host'
import type { Port } from './port'

interface RelayedClient {
  port: Port
  deliver(message: unknown): void
  closed(): void
}

export function connectFork(programFolder: string): DesktopLink {
  const clients = createBacklog<Port>()
  const quit = createSignal()
  const connected = new Map<number, RelayedClient>()
  const send = (message: EngineToShell): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
  }
  // Ctrl-C in a terminal reaches every process of the group; the shell decides when the engine ends.
  process.on('SIGINT', () => undefined)
  process.once('disconnect', () => {
    for (const client of connected.values()) client.closed()
    quit.fire()
  })

  process.on('message', (raw) => {
    const parsed = shellToEngine.safeParse(raw)
    if (!parsed.success) return
    const message = parsed.data
    switch (message.type) {
      case 'client': {
        const client = relayedClient((outgoing) => send({ ...outgoing, client: message.client }))
        connected.set(message.client, client)
        client.port.onClose(() => connected.delete(message.client))
        clients.push(client.port)
        return
      }
      case 'client-message':
        connected.get(message.client)?.deliver(message.message)
        return
      case 'client-closed':
        connected.get(message.client)?.closed()
        return
      case 'quit':
        quit.fire()
        return
      case 'process-started':
      case 'process-failed':
      case 'process-exited':
        return // only in a utility process: here the engine starts its processes itself
    }
  })

  return {
    host: createNodeProcessHost(programFolder),
    onClient: clients.listen,
    ready: ({ version }) => send({ type: 'ready', version }),
    failed: (failure) => send({ type: 'failed', failure }),
    quit: () => send({ type: 'quit-asked' }),
    onQuit: quit.listen,
  }
}

type Outgoing = { type: 'client-message'; message: unknown } | { type: 'client-closed' }

function relayedClient(send: (message: Outgoing) => void): RelayedClient {
  const incoming = createBacklog<unknown>()
  const listeners: ((message: unknown) => void)[] = []
  const closing = createSignal()
  let open = true
  const closed = (): void => {
    open = false
    closing.fire()
  }
  return {
    deliver: incoming.push,
    closed,
    port: {
      send: (message) => {
        if (open) send({ type: 'client-message', message })
      },
      onMessage: (listener) => {
        listeners.push(listener)
        if (listeners.length === 1) {
          incoming.listen((message) => {
            for (const each of listeners) each(message)
          })
        }
      },
      onClose: closing.listen,
      close: () => {
        if (!open) return
        send({ type: 'client-closed' })
        closed()
      },
    },
  }
}
