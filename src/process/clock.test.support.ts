/** A clock that moves only when a test moves it. */
import type { Clock } from './clock'

/** UTC ms: what `now()` of every manual clock says first */
const START = Date.UTC(2026, 0, 15, 12, 0, 0)

export interface ManualClock extends Clock {
  /** Runs the timers that are due on the way, in order, and lets promises settle after each. */
  advance(milliseconds: number): Promise<void>
  /** As after the computer slept: `milliseconds` pass at once, and every timer fires late. */
  jump(milliseconds: number): Promise<void>
}

export function manualClock(): ManualClock {
  let elapsed = 0
  let timers: { at: number; callback: () => void }[] = []
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    now: () => START + elapsed,
    monotonic: () => elapsed,
    setTimeout: (callback, milliseconds) => {
      const timer = { at: elapsed + milliseconds, callback }
      timers.push(timer)
      return {
        cancel: () => {
          timers = timers.filter((other) => other !== timer)
        },
      }
    },
    advance: async (milliseconds) => {
      const end = elapsed + milliseconds
      await settle()
      for (;;) {
        const next = timers.toSorted((a, b) => a.at - b.at)[0]
        if (!next || next.at > end) break
        timers = timers.filter((other) => other !== next)
        elapsed = Math.max(elapsed, next.at)
        next.callback()
        await settle()
      }
      elapsed = end
    },
    jump: async (milliseconds) => {
      elapsed += milliseconds
      for (const timer of timers.splice(0)) timer.callback()
      await settle()
    },
  }
}
