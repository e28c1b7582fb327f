import { describe, expect, test } from 'vitest'
import { foreignWords, message } from '#shared/domain/messages'
import { manualClock } from './clock.test.support'
import type { ManagedProcess, ProcessExit } from './host'
import { HEARTBEAT_TIMEOUT_MILLISECONDS, supervise, type SupervisedState } from './supervisor'

/** Processes that end when the test says so; `lingers`: even those that were killed. */
function scripted({ lingers = false } = {}) {
  const started: { end: (exit: ProcessExit) => void; killed: boolean }[] = []
  return {
    started,
    start: async (): Promise<ManagedProcess> => {
      const entry = { end: (() => undefined) as (exit: ProcessExit) => void, killed: false }
      const exited = new Promise<ProcessExit>((resolve) => {
        entry.end = resolve
      })
      started.push(entry)
      return {
        pid: started.length,
        exited,
        port: { send: () => undefined, onMessage: () => undefined, onClose: () => undefined, close: () => undefined },
        kill: () => {
          entry.killed = true
          if (!lingers) entry.end({ code: null, signal: 'SIGKILL' })
        },
      }
    },
  }
}

function supervised(watchHeartbeat = false) {
  const clock = manualClock()
  const processes = scripted()
  const states: SupervisedState['state'][] = []
  const supervisor = supervise({
    start: processes.start,
    clock,
    random: () => 0.5,
    describe: (exit) => foreignWords(exit instanceof Error ? exit.message : `code ${exit.code}`),
    onState: (state) => states.push(state.state),
    watchHeartbeat,
  })
  const crash = async (): Promise<void> => {
    processes.started.at(-1)?.end({ code: 1, signal: null })
    await clock.advance(0)
  }
  return { clock, processes, states, supervisor, crash }
}

test('a process that ends is started again, after ever longer delays', async () => {
  const { clock, processes, crash } = supervised()
  await clock.advance(0)
  for (const delay of [500, 1000, 2000, 4000]) {
    const before = processes.started.length
    await crash()
    await clock.advance(delay - 1)
    expect(processes.started.length).toBe(before)
    await clock.advance(1)
    expect(processes.started.length).toBe(before + 1)
  }
})

test('five failures in ten minutes open the circuit, and only retry closes it', async () => {
  const { clock, processes, supervisor, crash } = supervised()
  await clock.advance(0)
  for (let failure = 1; failure < 5; failure++) {
    await crash()
    await clock.advance(120_000)
    expect(supervisor.current.state).toBe('running')
  }
  await crash()
  expect(supervisor.current).toMatchObject({ state: 'open', reason: foreignWords('code 1') })
  const started = processes.started.length
  await clock.advance(24 * 3_600_000)
  expect(processes.started.length).toBe(started)
  supervisor.retry()
  await clock.advance(0)
  expect(supervisor.current.state).toBe('running')
  expect(processes.started.length).toBe(started + 1)
  for (const delay of [500, 1000, 2000, 4000]) {
    await crash()
    await clock.advance(delay)
  }
  await crash()
  expect(supervisor.current.state).toBe('open')
  supervisor.retry()
  await clock.advance(0)
  await crash()
  expect(supervisor.current.state).toBe('waiting')
})

test('five failures in more than ten minutes do not open the circuit', async () => {
  const { clock, supervisor, crash } = supervised()
  await clock.advance(0)
  for (let failure = 0; failure < 12; failure++) {
    await crash()
    await clock.advance(151_000)
    expect(supervisor.current.state).toBe('running')
  }
})

test('five healthy minutes forget the failures before', async () => {
  const { clock, supervisor, crash } = supervised()
  await clock.advance(0)
  const fourFailures = async (): Promise<void> => {
    for (const delay of [500, 1000, 2000, 4000]) {
      await crash()
      await clock.advance(delay - 1)
      expect(supervisor.current.state).toBe('waiting')
      await clock.advance(1)
      expect(supervisor.current.state).toBe('running')
    }
  }
  await fourFailures()
  // Within ten minutes of the first four: only forgetting them keeps the circuit closed, and the delays short.
  await clock.advance(5 * 60_000)
  await fourFailures()
  await clock.advance(5 * 60_000 - 1)
  await crash()
  expect(supervisor.current.state).toBe('open')
})

test('a silent process is killed, a beating one is left alone', async () => {
  const { clock, processes, supervisor } = supervised(true)
  await clock.advance(0)
  for (let second = 0; second < 60; second++) {
    await clock.advance(1000)
    supervisor.resetHeartbeat()
  }
  expect(processes.started[0]?.killed).toBe(false)
  await clock.advance(HEARTBEAT_TIMEOUT_MILLISECONDS + 2000)
  expect(processes.started[0]?.killed).toBe(true)
  await clock.advance(1000)
  expect(processes.started.length).toBe(2)
})

test('stop kills by process id and starts nothing again', async () => {
  const { clock, processes, supervisor } = supervised()
  await clock.advance(0)
  await supervisor.stop()
  await clock.advance(3_600_000)
  expect(processes.started).toHaveLength(1)
  expect(processes.started[0]?.killed).toBe(true)
  expect(supervisor.current.state).toBe('stopped')
})

test('a program that cannot be started counts as a failure with its reason', async () => {
  const clock = manualClock()
  const supervisor = supervise({
    start: () => Promise.reject(new Error('no such program')),
    clock,
    random: () => 0.5,
    describe: (exit) => foreignWords(exit instanceof Error ? exit.message : ''),
    onState: () => undefined,
    watchHeartbeat: false,
  })
  await clock.advance(0)
  await clock.advance(60_000)
  expect(supervisor.current).toMatchObject({ state: 'open', reason: foreignWords('no such program') })
})

test('silence while the computer slept, or this process was held up, kills nothing', async () => {
  const { clock, processes, supervisor } = supervised(true)
  await clock.advance(0)
  await clock.jump(3_600_000)
  await clock.advance(1000)
  expect(processes.started[0]?.killed).toBe(false)
  supervisor.resetHeartbeat()
  await clock.advance(HEARTBEAT_TIMEOUT_MILLISECONDS + 2000)
  expect(processes.started[0]?.killed).toBe(true)
  expect(supervisor.current).toMatchObject({ state: 'running' })
})

test('a process that hangs is started again, with the reason that was given', async () => {
  const { clock, processes, supervisor } = supervised()
  await clock.advance(0)
  supervisor.restart(message('process-no-answer'))
  await clock.advance(0)
  expect(supervisor.current).toMatchObject({ state: 'waiting', reason: message('process-no-answer') })
  await clock.advance(500)
  expect(processes.started).toHaveLength(2)
})

test('who stops it on hearing of a failure has stopped it for good', async () => {
  const clock = manualClock()
  const processes = scripted()
  const supervisor = supervise({
    start: processes.start,
    clock,
    random: () => 0.5,
    describe: () => foreignWords(''),
    onState: ({ state }) => {
      if (state === 'waiting') void supervisor.stop()
    },
    watchHeartbeat: false,
  })
  await clock.advance(0)
  processes.started[0]?.end({ code: 1, signal: null })
  await clock.advance(3_600_000)
  expect(processes.started).toHaveLength(1)
})

test('every call of stop settles when the process is gone, not before', async () => {
  const clock = manualClock()
  const processes = scripted({ lingers: true })
  const supervisor = supervise({
    start: processes.start,
    clock,
    random: () => 0.5,
    describe: () => foreignWords(''),
    onState: () => undefined,
    watchHeartbeat: false,
  })
  await clock.advance(0)
  const settled: string[] = []
  void supervisor.stop().then(() => settled.push('first'))
  void supervisor.stop().then(() => settled.push('second'))
  await clock.advance(100)
  expect(settled).toEqual([])
  processes.started[0]?.end({ code: null, signal: 'SIGKILL' })
  await clock.advance(0)
  expect(settled).toEqual(['first', 'second'])
})

test('stop while a process is being started settles when that process is gone', async () => {
  const clock = manualClock()
  const processes = scripted({ lingers: true })
  let begin: () => void = () => undefined
  const mayStart = new Promise<void>((resolve) => {
    begin = resolve
  })
  const supervisor = supervise({
    start: async () => {
      await mayStart
      return processes.start()
    },
    clock,
    random: () => 0.5,
    describe: () => foreignWords(''),
    onState: () => undefined,
    watchHeartbeat: false,
  })
  let stopped = false
  void supervisor.stop().then(() => {
    stopped = true
  })
  await clock.advance(100)
  expect(stopped).toBe(false)
  begin()
  await clock.advance(0)
  expect(processes.started[0]?.killed).toBe(true)
  expect(stopped).toBe(false)
  processes.started[0]?.end({ code: null, signal: 'SIGKILL' })
  await clock.advance(0)
  expect(stopped).toBe(true)
})

describe('a process that is asked to end', () => {
  const asking = (endsWhenAsked: boolean) => {
    const clock = manualClock()
    const processes = scripted()
    const asked: number[] = []
    const supervisor = supervise({
      start: processes.start,
      clock,
      random: () => 0.5,
      describe: () => foreignWords(''),
      onState: () => undefined,
      watchHeartbeat: false,
      askToEnd: {
        ask: () => {
          asked.push(clock.monotonic())
          if (endsWhenAsked) processes.started.at(-1)?.end({ code: 0, signal: null })
        },
        patienceMilliseconds: 3000,
      },
    })
    return { clock, processes, supervisor, asked }
  }

  test('is not killed when it ends in time', async () => {
    const { clock, processes, supervisor, asked } = asking(true)
    await clock.advance(10)
    await supervisor.stop()
    await clock.advance(3_600_000)
    expect(asked).toEqual([10])
    expect(processes.started).toMatchObject([{ killed: false }])
  })

  test('is killed when it does not, also where it was being started', async () => {
    const { clock, processes, supervisor, asked } = asking(false)
    const stopped = supervisor.stop()
    await clock.advance(2999)
    expect(processes.started).toMatchObject([{ killed: false }])
    await clock.advance(1)
    await stopped
    expect(asked).toEqual([0])
    expect(processes.started).toMatchObject([{ killed: true }])
  })
})
