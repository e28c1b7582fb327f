/** A signal that later parts of the engine listen to, so that a part need not know the parts that are made after it. */
import type { Clock } from '#process/clock'

export interface Signal<T = void> {
  emit(value: T): void
  /** Calls the listener at each emit, until the returned function is called. */
  on(listener: (value: T) => void): () => void
}

export function createSignal<T = void>(): Signal<T> {
  const listeners = new Set<(value: T) => void>()
  return {
    emit: (value) => {
      for (const listener of Array.from(listeners)) listener(value)
    },
    on: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export interface CoalescingSignal extends Signal {
  /** Ends the signal: no listener is called any more. */
  stop(): void
}

/** Any number of emits within `milliseconds` reach the listeners as one call at the end of that time. */
export function createCoalescingSignal(clock: Pick<Clock, 'setTimeout'>, milliseconds: number): CoalescingSignal {
  const inner = createSignal()
  let timer: { cancel(): void } | null = null
  let stopped = false
  return {
    on: inner.on,
    emit: () => {
      if (stopped) return
      timer ??= clock.setTimeout(() => {
        timer = null
        inner.emit()
      }, milliseconds)
    },
    stop: () => {
      stopped = true
      timer?.cancel()
    },
  }
}
