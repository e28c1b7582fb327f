/** A port of Electron's utility process as a Port. Only the members that are used here: Electron's types belong to the shell. */
import type { Port } from './port'

export interface UtilityMessagePort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown }) => void): void
  on(event: 'close', listener: () => void): void
  start(): void
  close(): void
}

export interface UtilityParentPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown; ports: UtilityMessagePort[] }) => void): void
}

/** The port to the shell, in a utility process only. */
export function utilityParentPort(): UtilityParentPort | undefined {
  return (process as unknown as { parentPort?: UtilityParentPort }).parentPort
}

/** Starts the channel; what arrives before the first listener is kept for it, and so is the close. */
export function fromUtilityPort(channel: UtilityMessagePort): Port {
  const listeners: ((message: unknown) => void)[] = []
  const closers: (() => void)[] = []
  let early: unknown[] = []
  let closed = false
  channel.on('message', (event) => {
    if (listeners.length === 0) early.push(event.data)
    for (const listener of listeners) listener(event.data)
  })
  channel.on('close', () => {
    if (closed) return
    closed = true
    for (const closer of closers) closer()
  })
  channel.start()
  return {
    send: (message) => {
      if (!closed) channel.postMessage(message)
    },
    onMessage: (listener) => {
      listeners.push(listener)
      const waiting = early
      early = []
      for (const message of waiting) listener(message)
    },
    onClose: (listener) => {
      if (closed) queueMicrotask(listener)
      else closers.push(listener)
    },
    close: () => channel.close(),
  }
}
