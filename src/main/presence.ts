/** Tells the engine whether somebody is at the computer: it mines more gently then, if the person set it so. */
import type { Port } from '#process/port'

const EVERY_MILLISECONDS = 10_000
/** Somebody who sits down again is noticed soon. */
const WHILE_AWAY_MILLISECONDS = 1000
const AWAY_SECONDS = 60

export interface PresenceParts {
  /** from the operating system */
  idleSeconds: () => number
  after: (milliseconds: number, callback: () => void) => () => void
}

/** Over a screen's port of its own, until that engine is gone or `stop` is called. */
export function reportPresence(port: Port, parts: PresenceParts): { stop(): void } {
  let id = 0
  let cancel = (): void => undefined
  const tell = (): void => {
    const idleSeconds = Math.max(0, parts.idleSeconds())
    port.send({ type: 'request', id: ++id, method: 'engine.presence', params: { idleSeconds } })
    cancel = parts.after(idleSeconds >= AWAY_SECONDS ? WHILE_AWAY_MILLISECONDS : EVERY_MILLISECONDS, tell)
  }
  tell()
  port.onClose(() => cancel())
  return {
    stop: () => {
      cancel()
      port.close()
    },
  }
}
