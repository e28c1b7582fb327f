import { describe, expect, it } from 'vitest'
import { manualClock } from '#process/clock.test.support'
import type { ProcessExit } from '#process/host'
import { failureInEnglish, type FailureValue } from '#shared/domain/errors'
import { foreignWords, message } from '#shared/domain/messages'
import type { EngineListeners } from './engine-process'
import { createEngineSupervisor, type EngineSupervisor } from './supervisor'

const minute = 60_000

/** Time that the test moves on, and engines that the test ends. */
function stage(): {
  supervisor: EngineSupervisor
  heard: string[]
  givenUp: FailureValue[]
  starts: number[]
  engine: () => Engine
  advance: (milliseconds: number) => Promise<void>
} {
  const clock = manualClock()
  const engines: Engine[] = []
  const starts: number[] = []
  const heard: string[] = []
  const givenUp: FailureValue[] = []
  const supervisor = createEngineSupervisor(
    {
      startEngine: (listeners) => {
        starts.push(clock.monotonic())
        engines.push(createEngine(listeners))
        return engines.at(-1) as Engine
      },
      clock,
      random: () => 0.5,
    },
    {
      onReady: () => heard.push('ready'),
      onStopped: () => heard.push('stopped'),
      onGivenUp: (failure) => givenUp.push(failure),
      onQuitAsked: () => heard.push('quit asked'),
    },
  )
  return { supervisor, heard, givenUp, starts, engine: () => engines.at(-1) as Engine, advance: clock.advance }
}

type Engine = ReturnType<typeof createEngine>
function createEngine(listeners: EngineListeners) {
  let end: (exit: ProcessExit) => void = () => undefined
  const asked: string[] = []
  return {
    listeners,
    asked,
    exited: new Promise<ProcessExit>((settle) => (end = settle)),
    end: (code: number | null) => end({ code, signal: null }),
    connect: () => undefined,
    quit: () => void asked.push('quit'),
    kill: () => {
      asked.push('kill')
      end({ code: null, signal: 'SIGKILL' })
    },
  }
}

describe('the engine’s supervisor', () => {
  it('starts the engine again after 0.5, 1, 2, 4 s and stops trying at the fifth failure in ten minutes', async () => {
    const { supervisor, starts, givenUp, heard, engine, advance } = stage()
    supervisor.start()
    for (const delay of [500, 1000, 2000, 4000]) {
      const before = starts.length
      engine().end(11)
      await advance(delay - 1)
      expect(starts).toHaveLength(before)
      await advance(1)
      expect(starts).toHaveLength(before + 1)
    }
    expect(givenUp).toEqual([])
    engine().end(11)
    await advance(60 * minute)
    expect(starts).toHaveLength(5)
    expect(givenUp).toHaveLength(1)
    expect(givenUp[0] && failureInEnglish(givenUp[0]).message).toBe(
      'The engine stopped 5 times within ten minutes. The last exit code was 11.',
    )
    expect(heard).toEqual(Array(5).fill('stopped'))

    supervisor.retry()
    expect(starts).toHaveLength(6)
    engine().end(11)
    await advance(500)
    expect(starts).toHaveLength(7)
  })

  it('waits at most a minute, starts with the shortest wait after five healthy minutes, and forgets failures after ten', async () => {
    const { supervisor, starts, givenUp, engine, advance } = stage()
    supervisor.start()
    let now = 0
    // Every 210 s: never five failures within ten minutes, never five minutes of health.
    const failAndWait = async (): Promise<number> => {
      engine().end(1)
      await advance(minute)
      const delay = (starts.at(-1) ?? 0) - now
      now += minute
      return delay
    }
    const pass = async (milliseconds: number): Promise<void> => {
      await advance(milliseconds)
      now += milliseconds
    }
    const delays: number[] = []
    for (let failure = 0; failure < 9; failure++) {
      delays.push(await failAndWait())
      await pass(2.5 * minute)
    }
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, minute, minute])
    await pass(2.5 * minute)
    expect(await failAndWait()).toBe(500)
    expect(givenUp).toEqual([])
  })

  it('does not start an engine again that said why it cannot run, and ends it if it stays', async () => {
    const { supervisor, starts, givenUp, engine, advance } = stage()
    const failure: FailureValue = { code: 'data-folder', words: message('rig-key-damaged', { file: '/data/rig.key' }) }
    supervisor.start()
    engine().listeners.onFailed(failure)
    expect(givenUp).toEqual([failure])
    await advance(2999)
    expect(engine().asked).toEqual([])
    await advance(1)
    expect(engine().asked).toEqual(['kill'])
    expect(givenUp).toEqual([failure])
    await advance(60 * minute)
    expect(starts).toHaveLength(1)
    supervisor.retry()
    expect(starts).toHaveLength(2)
    expect(givenUp).toEqual([failure])
  })

  it('ends an engine that failed and is still there at once when asked to retry', async () => {
    const { supervisor, starts, engine, advance } = stage()
    supervisor.start()
    const first = engine()
    first.listeners.onFailed({ code: 'internal', words: foreignWords('no') })
    supervisor.retry()
    await advance(0)
    expect(first.asked).toEqual(['kill'])
    expect(starts).toEqual([0, 0])
    await advance(minute)
    expect(engine().asked).toEqual([])
    // That retry is used up: the next engine that says why it cannot run is not started again.
    engine().listeners.onFailed({ code: 'internal', words: foreignWords('no') })
    await advance(minute)
    expect(engine().asked).toEqual(['kill'])
    expect(starts).toEqual([0, 0])
  })

  it('connects a screen only while the engine is ready', async () => {
    const { supervisor, heard, engine, advance } = stage()
    const port = {} as Parameters<EngineSupervisor['connect']>[0]
    expect(supervisor.connect(port)).toBe(false)
    supervisor.start()
    expect(supervisor.connect(port)).toBe(false)
    engine().listeners.onReady({ version: '1' })
    expect(supervisor.connect(port)).toBe(true)
    engine().end(0)
    await advance(0)
    expect(supervisor.connect(port)).toBe(false)
    expect(heard).toEqual(['ready', 'stopped'])
    const first = engine()
    await advance(500)
    expect(engine()).not.toBe(first)
    expect(supervisor.connect(port)).toBe(false)
    engine().listeners.onReady({ version: '1' })
    expect(supervisor.connect(port)).toBe(true)
  })

  it('asks the engine to end, kills it after 3 s, and starts none after that', async () => {
    const { supervisor, starts, engine, advance } = stage()
    supervisor.start()
    const ended = supervisor.quit()
    await advance(2999)
    expect(engine().asked).toEqual(['quit'])
    await advance(1)
    await ended
    expect(engine().asked).toEqual(['quit', 'kill'])
    await advance(60 * minute)
    supervisor.retry()
    expect(starts).toHaveLength(1)
  })

  it('lets whoever quits once more wait for the engine too', async () => {
    const { supervisor, engine, advance } = stage()
    supervisor.start()
    await advance(0)
    let ended = false
    void supervisor.quit()
    void supervisor.quit().then(() => (ended = true))
    await advance(100)
    expect(ended).toBe(false)
    engine().end(0)
    await advance(0)
    expect(ended).toBe(true)
    expect(engine().asked).toEqual(['quit'])
  })

  it('starts no engine when it is asked to end while waiting to start one', async () => {
    const { supervisor, starts, engine, advance } = stage()
    supervisor.start()
    engine().end(1)
    await advance(100)
    await supervisor.quit()
    await advance(60 * minute)
    expect(starts).toHaveLength(1)
  })
})
