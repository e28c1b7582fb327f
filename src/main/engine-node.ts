/** The engine under a Node of its own (LODE_ENGINE_NODE), for working on it. It starts its processes itself; screens' messages are relayed. */
import { fork } from 'node:child_process'
import type { MessagePortMain } from 'electron'
import type { EngineStart, ShellToEngine } from '#process/desktop-messages'
import type { ProcessExit } from '#process/host'
import { receiveFromEngine, type EngineProcess, type Programs, type StartEngine } from './engine-process'

export function startNodeEngine(node: string, programs: Programs, start: Omit<EngineStart, 'host'>): StartEngine {
  return (listeners) => {
    const engine = fork(programs.engine, [JSON.stringify({ ...start, host: 'node' } satisfies EngineStart)], {
      execPath: node,
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const clients = new Map<number, MessagePortMain>()
    let nextClient = 1
    const send = (message: ShellToEngine): void => {
      if (engine.connected) engine.send(message, () => undefined)
    }

    engine.on('message', (raw: unknown) =>
      receiveFromEngine(raw, listeners, (message) => {
        switch (message.type) {
          case 'client-message':
            clients.get(message.client)?.postMessage(message.message)
            return
          case 'client-closed':
            clients.get(message.client)?.close()
            clients.delete(message.client)
            return
          case 'start-process':
          case 'kill-process':
            return // it starts and ends its processes itself
        }
      }),
    )
    const exited = new Promise<ProcessExit>((settle) => {
      const end = (code: number | null, signal: string | null): void => {
        for (const port of clients.values()) port.close()
        clients.clear()
        settle({ code, signal })
      }
      engine.once('exit', end)
      engine.once('error', (error) => {
        console.error(`lode: the engine could not be started with ${node}: ${error.message}`)
        end(null, null)
      })
    })

    return {
      exited,
      connect: (port) => {
        const client = nextClient++
        clients.set(client, port)
        send({ type: 'client', client })
        port.on('message', (event) => send({ type: 'client-message', client, message: event.data as unknown }))
        port.on('close', () => {
          if (clients.delete(client)) send({ type: 'client-closed', client })
        })
        port.start()
      },
      quit: () => send({ type: 'quit' }),
      kill: () => void engine.kill('SIGKILL'),
    } satisfies EngineProcess
  }
}
