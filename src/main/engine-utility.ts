/** The engine as a utility process. Only this process can start others: workers and sensors are started here at the engine's request. */
import { MessageChannelMain, utilityProcess, type MessagePortMain, type UtilityProcess } from 'electron'
import type { EngineStart, ShellToEngine } from '#process/desktop-messages'
import type { ProcessExit } from '#process/host'
import { receiveFromEngine, type EngineProcess, type Programs, type StartEngine } from './engine-process'

const killAfterMilliseconds = 1000

export function startUtilityEngine(programs: Programs, start: Omit<EngineStart, 'host'>): StartEngine {
  return (listeners) => {
    const engine = forkUtility(
      programs.engine,
      JSON.stringify({ ...start, host: 'utility' } satisfies EngineStart),
      'Lode engine',
    )
    const send = (message: ShellToEngine, ports: MessagePortMain[] = []): void => engine.postMessage(message, ports)
    const children = createChildren(programs, send)
    let nextClient = 1

    engine.on('message', (raw: unknown) =>
      receiveFromEngine(raw, listeners, (message) => {
        switch (message.type) {
          case 'start-process':
            children.start(message.id, message.program, message.start)
            return
          case 'kill-process':
            children.kill(message.id)
            return
          case 'client-message':
          case 'client-closed':
            return // screens have a port of their own
        }
      }),
    )
    const exited = new Promise<ProcessExit>((settle) => {
      engine.once('exit', (code) => {
        void children.end().then(() => settle({ code, signal: null }))
      })
    })
    return {
      exited,
      connect: (port) => send({ type: 'client', client: nextClient++ }, [port]),
      quit: () => send({ type: 'quit' }),
      kill: () => killAtOnce(engine),
    } satisfies EngineProcess
  }
}

interface Children {
  start(id: number, program: 'worker' | 'sensors', start: string): void
  kill(id: number): void
  /** Settles when all are gone. They end by themselves when their port to the engine closes; one that is still there after a second is killed. */
  end(): Promise<void>
}

function createChildren(
  programs: Programs,
  send: (message: ShellToEngine, ports?: MessagePortMain[]) => void,
): Children {
  const running = new Map<number, { child: UtilityProcess; gone: Promise<void> }>()
  let engineGone = false

  const start: Children['start'] = (id, program, argument) => {
    const child = forkUtility(programs[program], argument, `Lode ${program}`)
    const { port1, port2 } = new MessageChannelMain()
    child.postMessage({ type: 'engine' }, [port1])
    let spawned = false
    child.once('spawn', () => {
      spawned = true
      if (!engineGone) send({ type: 'process-started', id, pid: child.pid ?? -1 }, [port2])
    })
    const gone = new Promise<void>((settle) => {
      child.once('exit', (code) => {
        running.delete(id)
        settle()
        if (engineGone) return
        if (spawned) send({ type: 'process-exited', id, code })
        else
          send({
            type: 'process-failed',
            id,
            message: `the ${program} process ended while it was started (exit code ${code})`,
          })
      })
    })
    running.set(id, { child, gone })
  }

  return {
    start,
    kill: (id) => {
      const entry = running.get(id)
      if (!entry) return
      const { pid } = entry.child
      entry.child.kill()
      const timer = setTimeout(() => killByPid(pid), killAfterMilliseconds)
      void entry.gone.then(() => clearTimeout(timer))
    },
    end: async () => {
      engineGone = true
      const entries = [...running.values()]
      const timer = setTimeout(() => {
        for (const { child } of running.values()) killAtOnce(child)
      }, killAfterMilliseconds)
      await Promise.all(entries.map(({ gone }) => gone))
      clearTimeout(timer)
    },
  }
}

/** Standard output is dropped, standard error is that of the shell, as under Node. */
function forkUtility(file: string, argument: string, serviceName: string): UtilityProcess {
  return utilityProcess.fork(file, [argument], { serviceName, stdio: ['ignore', 'ignore', 'inherit'] })
}

function killAtOnce(child: UtilityProcess): void {
  const { pid } = child
  child.kill()
  killByPid(pid)
}

function killByPid(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone already
  }
}
