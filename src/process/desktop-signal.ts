/** Events that may happen before anyone listens. */

/** Hands every value to one listener; keeps the values that come before the listener is set. */
export function createBacklog<T>(): {
  push: (value: T) => void
  listen: (listener: (value: T) => void) => void
} {
  let early: T[] = []
  let listening: ((value: T) => void) | undefined
  return {
    push: (value) => {
      if (listening) listening(value)
      else early.push(value)
    },
    listen: (listener) => {
      listening = listener
      const waiting = early
      early = []
      for (const value of waiting) listener(value)
    },
  }
}

/** Happens once; listeners set later hear it as well. */
export function createSignal(): { fire: () => void; listen: (listener: () => void) => void } {
  let fired = false
  const listeners: (() => void)[] = []
  return {
    fire: () => {
      if (fired) return
      fired = true
      for (const listener of listeners) listener()
    },
    listen: (listener) => {
      if (fired) queueMicrotask(listener)
      else listeners.push(listener)
    },
  }
}
