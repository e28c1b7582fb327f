/** Keeps the engine running: back-off, a limit, and a polite end. Knows nothing of windows. */
import type { MessagePortMain } from 'electron'
import type { FailureValue } from '#shared/domain/errors'
import type { EngineProcess, StartEngine } from './engine-process'

const firstDelayMilliseconds = 500
const longestDelayMilliseconds = 60_000
const healthyMilliseconds = 5 * 60_000
const windowMilliseconds = 10 * 60_000
const mostFailures = 5
/** how long the engine may take to end when asked */
const patienceMilliseconds = 3000

export interface SupervisorParts {
  startEngine: StartEngine
  clock: { now: () => number; after: (milliseconds: number, action: () => void) => () => void }
  /** 0 to 1, for jitter */
  random: () => number
}

export interface SupervisorEvents {
  /** screens can be connected */
  onReady(): void
  /** the engine is gone; it is started again by itself unless onGivenUp follows */
  onStopped(): void
  /** it is not started again until retry() */
  onGivenUp(failure: FailureValue): void
  /** somebody asked the engine to end for good: the shell ends, by quit() */
  onQuitAsked(): void
}

export interface Supervisor {
  start(): void
  /** after onGivenUp: forgets the failures and starts again */
  retry(): void
  /** Hands a screen's port to the engine. False while it is not ready: ask again at onReady. */
  connect(port: MessagePortMain): boolean
  /** Ends the engine for good: asks, waits 3 s, then kills. */
  quit(): Promise<void>
}

export function createSupervisor(
  { startEngine, clock, random }: SupervisorParts,
  events: SupervisorEvents,
): Supervisor {
  let engine: EngineProcess | undefined
  let ready = false
  let quitting = false
  let failures: number[] = []
  let attempt = 0
  let cancelRestart: (() => void) | undefined
  /** Retry was pressed before the engine that failed was gone */
  let retried = false

  const start = (): void => {
    if (engine || quitting) return
    cancelRestart?.()
    cancelRestart = undefined
    retried = false
    const startedAt = clock.now()
    let failure: FailureValue | undefined
    const own = startEngine({
      onReady: () => {
        ready = true
        events.onReady()
      },
      onFailed: (value) => {
        failure = value
        events.onGivenUp(value)
        clock.after(patienceMilliseconds, () => {
          if (engine === own) own.kill()
        })
      },
      onQuitAsked: () => events.onQuitAsked(),
    })
    engine = own
    void own.exited.then(({ code }) => {
      engine = undefined
      ready = false
      if (quitting) return
      events.onStopped()
      if (!failure) startAgainLater(startedAt, code)
      else if (retried) start()
    })
  }

  const startAgainLater = (startedAt: number, code: number | null): void => {
    const now = clock.now()
    if (now - startedAt >= healthyMilliseconds) attempt = 0
    failures = [...failures.filter((at) => now - at < windowMilliseconds), now]
    if (failures.length >= mostFailures) {
      events.onGivenUp(keepsStopping(code))
      return
    }
    const delay = firstDelayMilliseconds * 2 ** attempt++ * (0.8 + 0.4 * random())
    cancelRestart = clock.after(Math.min(delay, longestDelayMilliseconds), start)
  }

  return {
    start,
    retry: () => {
      failures = []
      attempt = 0
      retried = true
      if (engine) engine.kill()
      else start()
    },
    connect: (port) => {
      if (!engine || !ready) return false
      engine.connect(port)
      return true
    },
    quit: async () => {
      quitting = true
      cancelRestart?.()
      const last = engine
      if (!last) return
      last.quit()
      const cancelKill = clock.after(patienceMilliseconds, () => last.kill())
      await last.exited
      cancelKill()
    },
  }
}

function keepsStopping(code: number | null): FailureValue {
  // Electron reports 0 where it saw the process go before it saw why.
  const how = code ? ` The last exit code was ${code}.` : ''
  return {
    code: 'unavailable',
    message: `The engine stopped ${mostFailures} times within ten minutes.${how}`,
    action:
      'Nothing is mined now, and credits already accepted are kept. Retry starts it again. If it stops again, start Lode in a terminal: it prints the reason there.',
  }
}
