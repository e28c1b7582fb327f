/** The one shape of a channel between two processes: Node's fork, Electron's utility processes and MessagePorts all fit. */
export interface Port {
  /** Structured clone: bigint, typed arrays, Map and Date travel. Throws nothing when the other side is gone. */
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** Called once when the other side is gone. */
  onClose(listener: () => void): void
  close(): void
}

/** A pair of ports in one process: what is sent into one arrives at the other, asynchronously. For tests and for the engine's own client. */
export function portPair(): [Port, Port] {
  const makeEnd = () => ({ listeners: [] as ((message: unknown) => void)[], closers: [] as (() => void)[], open: true })
  const left = makeEnd()
  const right = makeEnd()
  const port = (own: ReturnType<typeof makeEnd>, other: ReturnType<typeof makeEnd>): Port => ({
    send: (message) => {
      const copy = structuredClone(message)
      queueMicrotask(() => {
        if (other.open) for (const listener of other.listeners) listener(copy)
      })
    },
    onMessage: (listener) => void own.listeners.push(listener),
    onClose: (listener) => void own.closers.push(listener),
    close: () => {
      for (const end of [own, other]) {
        if (!end.open) continue
        end.open = false
        queueMicrotask(() => {
          for (const closer of end.closers) closer()
        })
      }
    },
  })
  return [port(left, right), port(right, left)]
}
