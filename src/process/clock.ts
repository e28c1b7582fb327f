/** Time, as everything that waits or measures is given it: the real clock in a program, a manual one in tests. */

export interface Clock {
  /** UTC milliseconds, may jump */
  now(): number
  /** milliseconds that never go back; stands still while the computer sleeps or jumps after it */
  monotonic(): number
  setTimeout(callback: () => void, milliseconds: number): { cancel(): void }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, milliseconds) => {
    const timer = setTimeout(callback, milliseconds)
    return { cancel: () => clearTimeout(timer) }
  },
}
