/** The engine as a utility process: the shell starts the engine's processes for it and hands over ports. */
import type { DesktopLink } from './desktop-link'
import { shellToEngine, type EngineToShell } from './desktop-messages'
import { createBacklog, createSignal } from './desktop-signal'
import type { ManagedProcess, ProcessExit } from './host'
import type { Port } from './port'
import { fromUtilityPort, type UtilityMessagePort, type UtilityParentPort } from './utility-port'

export function connectUtility(parent: UtilityParentPort): DesktopLink {
  const clients = createBacklog<Port>()
  const quit = createSignal()
  const starting = new Map<number, { resolve: (started: ManagedProcess) => void; reject: (error: Error) => void }>()
  const running = new Map<number, (exit: ProcessExit) => void>()
  let nextId = 1
  const send = (message: EngineToShell): void => parent.postMessage(message)

  const started = (id: number, pid: number, channel: UtilityMessagePort): void => {
    const exited = new Promise<ProcessExit>((settle) => running.set(id, settle))
    const kill = (): void => send({ type: 'kill-process', id })
    starting.get(id)?.resolve({ pid, port: fromUtilityPort(channel), exited, kill })
    starting.delete(id)
  }

  parent.on('message', (event) => {
    const parsed = shellToEngine.safeParse(event.data)
    if (!parsed.success) return
    const message = parsed.data
    const channel = event.ports[0]
    switch (message.type) {
      case 'client':
        if (channel) clients.push(fromUtilityPort(channel))
        return
      case 'process-started':
        if (channel) started(message.id, message.pid, channel)
        return
      case 'process-failed':
        starting.get(message.id)?.reject(new Error(message.message))
        starting.delete(message.id)
        return
      case 'process-exited':
        running.get(message.id)?.({ code: message.code, signal: null })
        running.delete(message.id)
        return
      case 'quit':
        quit.fire()
        return
      case 'client-message':
      case 'client-closed':
        return // only under Node: here screens have a port of their own
    }
  })

  return {
    host: {
      start: (program, start) =>
        new Promise<ManagedProcess>((resolve, reject) => {
          const id = nextId++
          starting.set(id, { resolve, reject })
          send({ type: 'start-process', id, program, start: JSON.stringify(start) })
        }),
    },
    onClient: clients.listen,
    ready: ({ version }) => send({ type: 'ready', version }),
    failed: (failure) => send({ type: 'failed', failure }),
    quit: () => send({ type: 'quit-asked' }),
    onQuit: quit.listen,
  }
}
