/** Whether mining was going on when the engine was last cut off: so that an engine that comes back at once goes on. */
import { z } from 'zod'
import { startOptions, type StartOptions } from '#shared/contract/engine'
import type { Clock } from '#process/clock'
import type { Ledger } from '../ledger'

const KEY = 'mining-alive'
const BEAT_MILLISECONDS = 15_000
/** An interruption longer than this was no hiccup: the person starts mining again. */
const RESUME_WITHIN_MILLISECONDS = 60_000

/** Version 0.1 called a backend an engine: what it left under that name is read as one. */
const leftOptions = startOptions
  .extend({ engine: startOptions.shape.backend })
  .transform(({ engine, ...options }): StartOptions =>
    engine === undefined ? options : { backend: engine, ...options },
  )
const marker = z.object({ at: z.number(), options: leftOptions }).nullable()

export interface ResumeMarker {
  /** what mining was started with, if it was cut off a moment ago; said once */
  readonly interrupted: StartOptions | null
  begin(options: StartOptions): void
  end(): void
}

/** `onError`: a beat could not be written; the next is tried in its turn. */
export function openResumeMarker(ledger: Ledger, clock: Clock, onError: (error: unknown) => void): ResumeMarker {
  const left = ledger.setting(KEY, marker)
  const interrupted = left !== null && clock.now() - left.at < RESUME_WITHIN_MILLISECONDS ? left.options : null
  let timer: { cancel(): void } | null = null
  const beat = (options: StartOptions): void => {
    ledger.saveSetting(KEY, { at: clock.now(), options })
    later(options)
  }
  const later = (options: StartOptions): void => {
    timer = clock.setTimeout(() => {
      try {
        beat(options)
      } catch (error) {
        onError(error)
        later(options)
      }
    }, BEAT_MILLISECONDS)
  }
  return {
    interrupted,
    begin: (options) => {
      timer?.cancel()
      beat(options)
    },
    end: () => {
      timer?.cancel()
      timer = null
      ledger.saveSetting(KEY, null)
    },
  }
}
