/** Tells the engine whether somebody is at the computer: it mines more gently then, if the person set it so. */
import type { Clock } from '#process/clock'
import type { Port } from '#process/port'

const EVERY_MILLISECONDS = 10_000
/** Somebody who sits down again is noticed soon. */
const WHILE_AWAY_MILLISECONDS = 1000
const AWAY_SECONDS = 60

export interface PresenceOptions {
  /** from the operating system */
  idleSeconds: () => number
  clock: Pick<Clock, 'setTimeout'>
}

/** Over a screen's port of its own, until that engine is gone or `stop` is called. */
export function reportPresence(port: Port, options: PresenceOptions): { stop(): void } {
  let id = 0
  let timer: { cancel(): void } | undefined
  const report = (): void => {
    const idleSeconds = Math.max(0, options.idleSeconds())
    port.send({ type: 'request', id: ++id, method: 'engine.presence', params: { idleSeconds } })
    timer = options.clock.setTimeout(report, idleSeconds >= AWAY_SECONDS ? WHILE_AWAY_MILLISECONDS : EVERY_MILLISECONDS)
  }
  report()
  port.onClose(() => timer?.cancel())
  return {
    stop: () => {
      timer?.cancel()
      port.close()
    },
  }
}
