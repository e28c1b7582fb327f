/** The present level of the throttle, and its pace. */
import type { Pace, Throttle, ThrottleLevelName } from '#shared/contract/throttle'

/** A person who has not touched the computer for this time is away. */
export const AWAY_AFTER_SECONDS = 5 * 60
/** A report of the person's presence is valid for this time. */
const PRESENCE_HOLDS_MILLISECONDS = 60_000
const MINUTES_A_DAY = 24 * 60

/**
 * The level at a minute of the local day. The night's hours come first, since the person set them. `idleSeconds`
 * null: not known; the level is then `idle`.
 */
export function throttleLevelAt(
  throttle: Throttle,
  minuteOfDay: number,
  idleSeconds: number | null,
): { level: ThrottleLevelName; pace: Pace } {
  const { inUse, idle, night } = throttle
  if (night !== null && isBetween(minuteOfDay, minutesOf(night.from), minutesOf(night.to))) {
    return { level: 'night', pace: night }
  }
  if (idleSeconds !== null && idleSeconds < AWAY_AFTER_SECONDS) return { level: 'inUse', pace: inUse }
  return { level: 'idle', pace: idle }
}

/** Threads at a share, rounded up, at least one. */
export function threadsAt(threads: number, share: number): number {
  // The small subtraction cancels rounding errors: 0.7 × 10 must give 7 threads, not 8.
  return Math.max(1, Math.min(threads, Math.ceil(threads * share - 1e-9)))
}

export interface ThrottleState {
  readonly level: ThrottleLevelName
  readonly pace: Pace
  /** Takes a report of the shell: seconds since the person last touched the computer. */
  present(idleSeconds: number): void
}

export function createThrottle(options: {
  clock: { now(): number; monotonic(): number }
  settings: () => Throttle
}): ThrottleState {
  const { clock } = options
  let presence: { idleSeconds: number; at: number } | null = null
  const now = (): { level: ThrottleLevelName; pace: Pace } => {
    const local = new Date(clock.now())
    const age = presence === null ? 0 : clock.monotonic() - presence.at
    const idleSeconds =
      presence === null || age > PRESENCE_HOLDS_MILLISECONDS ? null : presence.idleSeconds + age / 1000
    return throttleLevelAt(options.settings(), local.getHours() * 60 + local.getMinutes(), idleSeconds)
  }
  return {
    get level() {
      return now().level
    },
    get pace() {
      return now().pace
    },
    present: (idleSeconds) => {
      presence = { idleSeconds, at: clock.monotonic() }
    },
  }
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return (hours * 60 + minutes) % MINUTES_A_DAY
}

/** Whether a minute lies in the interval, which crosses midnight if `to` is before `from`. Equal ends mean the whole day. */
function isBetween(minute: number, from: number, to: number): boolean {
  if (from < to) return minute >= from && minute < to
  return minute >= from || minute < to
}
