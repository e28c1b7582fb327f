/** Something that happens and that later parts of the engine may listen to: what is made first need not know what is made after it. */
import type { Clock } from '#process/clock'

export interface Signal<T = void> {
  emit(value: T): void
  /** Until the returned function is called. */
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
  /** Nothing is said any more. */
  stop(): void
}

/** Any number of emits within `milliseconds` reach the listeners as one, at their end. */
export function createCoalescingSignal(clock: Pick<Clock, 'setTimeout'>, milliseconds: number): CoalescingSignal {
  const inner = createSignal()
  let timer: { cancel(): void } | null = null
  return {
    on: inner.on,
    emit: () => {
      timer ??= clock.setTimeout(() => {
        timer = null
        inner.emit()
      }, milliseconds)
    },
    stop: () => timer?.cancel(),
  }
}
