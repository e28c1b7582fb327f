/** Live ticks outside React: the latest one, passed to its readers once per animation frame. */
import { useEffect, useState, useSyncExternalStore } from 'react'
import type { LiveTick } from '#shared/contract/engine'

/** A tick comes every second; a little more than two missed beats, so that a busy machine does not flicker. */
export const LIVE_STALE_MILLISECONDS = 4000

let latest: LiveTick | null = null
let arrivedAt = 0
let frame = 0
const readers = new Set<() => void>()

/** Keeps a tick; readers hear of it in the next frame. */
export function takeLive(tick: LiveTick): void {
  latest = tick
  arrivedAt = Date.now()
  frame ||= requestAnimationFrame(() => {
    frame = 0
    for (const reader of readers) reader()
  })
}

function subscribe(reader: () => void): () => void {
  readers.add(reader)
  return () => readers.delete(reader)
}

/** The latest tick, or null before the first. */
export function useLive(): LiveTick | null {
  return useSyncExternalStore(subscribe, () => latest)
}

/** UTC ms since when the readings are out of date, or null while they are fresh. Looked at once a second. */
export function useStaleSince(): number | null {
  const [since, setSince] = useState<number | null>(null)
  useEffect(() => {
    const look = (): void =>
      setSince(latest !== null && Date.now() - arrivedAt > LIVE_STALE_MILLISECONDS ? arrivedAt : null)
    const timer = setInterval(look, 1000)
    return () => clearInterval(timer)
  }, [])
  return since
}

/** The present time, renewed every `everyMilliseconds` while the window is visible. */
export function useNow(everyMilliseconds = 1000): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now())
    }, everyMilliseconds)
    return () => clearInterval(timer)
  }, [everyMilliseconds])
  return now
}
