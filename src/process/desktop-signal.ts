/** Events that may happen before anyone listens. */

/** Hands every value to one listener; keeps what comes before it is set. */
export function createBacklog<T>(): {
  push: (value: T) => void
  listen: (listener: (value: T) => void) => void
} {
  let kept: T[] = []
  let heard: ((value: T) => void) | undefined
  return {
    push: (value) => {
      if (heard) heard(value)
      else kept.push(value)
    },
    listen: (listener) => {
      heard = listener
      const waiting = kept
      kept = []
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
