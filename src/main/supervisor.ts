/** Keeps the engine running by the policy of every process (src/process/supervisor.ts), and ends it politely. Knows nothing of windows. */
import type { MessagePortMain } from 'electron'
import type { Clock } from '#process/clock'
import { supervise, type SupervisedState, type Supervisor } from '#process/supervisor'
import type { FailureValue } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { EngineProcess, StartEngine } from './engine-process'

/** how long the engine may take to end: when asked, and after it said that it cannot run */
const PATIENCE_MILLISECONDS = 3000

export interface EngineSupervisorOptions {
  startEngine: StartEngine
  clock: Clock
  /** 0 ≤ x < 1, for jitter */
  random: () => number
}

export interface EngineSupervisorEvents {
  /** screens can be connected */
  onReady(): void
  /** the engine is gone; it is started again by itself unless onGivenUp follows or came before */
  onStopped(): void
  /** it is not started again until retry() */
  onGivenUp(failure: FailureValue): void
  /** somebody asked the engine to end for good: the shell ends, by quit() */
  onQuitAsked(): void
}

export interface EngineSupervisor {
  start(): void
  /** after onGivenUp: forgets the failures and starts again; an engine that failed and is still there is killed first */
  retry(): void
  /** Hands a screen's port to the engine. False while it is not ready: ask again at onReady. */
  connect(port: MessagePortMain): boolean
  /** Ends the engine for good: asks, waits 3 s, then kills. */
  quit(): Promise<void>
}

export function createEngineSupervisor(
  { startEngine, clock, random }: EngineSupervisorOptions,
  events: EngineSupervisorEvents,
): EngineSupervisor {
  let supervisor: Supervisor<EngineProcess> | undefined
  /** from its start to its end */
  let engine: EngineProcess | undefined
  let ready = false
  let quitting = false
  /** the engine that runs, or ran last, said that it cannot run */
  let failed = false
  /** retry() came before the engine that failed was gone */
  let retriesAtEnd = false

  const startOne = async (): Promise<EngineProcess> => {
    failed = false
    const own = startEngine({
      onReady: () => {
        ready = true
        events.onReady()
      },
      onFailed: (failure) => {
        failed = true
        events.onGivenUp(failure)
        clock.setTimeout(() => {
          if (engine === own) own.kill()
        }, PATIENCE_MILLISECONDS)
      },
      onQuitAsked: () => events.onQuitAsked(),
    })
    engine = own
    return own
  }

  const onState = (state: SupervisedState<EngineProcess>): void => {
    if (state.state !== 'waiting' && state.state !== 'open') return
    engine = undefined
    ready = false
    events.onStopped()
    if (retriesAtEnd) start()
    else if (failed) void supervisor?.stop()
    else if (state.state === 'open') events.onGivenUp(keepsStopping(state.failures, state.reason))
  }

  const start = (): void => {
    if (quitting) return
    retriesAtEnd = false
    void supervisor?.stop()
    supervisor = supervise<EngineProcess>({
      start: startOne,
      clock,
      random,
      describe: (exit) =>
        exit instanceof Error
          ? message('process-not-started', { words: exit.message })
          : message('process-ended-with-code', { code: String(exit.code ?? 0) }),
      onState,
      watchHeartbeat: false,
      askToEnd: { ask: (process) => process.quit(), patienceMilliseconds: PATIENCE_MILLISECONDS },
    })
  }

  return {
    start,
    retry: () => {
      if (quitting) return
      if (!engine) return start()
      retriesAtEnd = true
      engine.kill()
    },
    connect: (port) => {
      if (!engine || !ready) return false
      engine.connect(port)
      return true
    },
    quit: async () => {
      quitting = true
      await supervisor?.stop()
    },
  }
}

function keepsStopping(failures: number, reason: Message): FailureValue {
  const { code } = reason.params
  // Electron reports 0 where it saw the process go before it saw why.
  const exit = typeof code === 'string' && code !== '0' ? code : 'none'
  return { code: 'unavailable', words: message('engine-keeps-stopping', { times: failures, exit }) }
}
