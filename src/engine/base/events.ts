/** Typed events of the engine, for its listeners: screens, the command line, the log. */
import { events, type EventData, type EventName } from '#shared/contract/index'

export interface EngineEvents {
  emit<E extends EventName>(event: E, data: EventData<E>): void
  /** Calls the listener for every event, until the returned function is called. */
  onAny(listener: (event: EventName, data: unknown) => void): () => void
  /** Calls the listener for one kind of event, until the returned function is called. */
  on<E extends EventName>(event: E, listener: (data: EventData<E>) => void): () => void
}

export function createEngineEvents(): EngineEvents {
  const listeners = new Set<(event: EventName, data: unknown) => void>()
  return {
    emit: (event, data) => {
      for (const listener of Array.from(listeners)) listener(event, data)
    },
    onAny: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    on: (event, listener) => {
      const only = (name: EventName, data: unknown): void => {
        if (name === event) listener(data as EventData<typeof event>)
      }
      listeners.add(only)
      return () => listeners.delete(only)
    },
  }
}

/** All event names, for clients that want everything. */
export const allEvents = Object.keys(events) as EventName[]
