/** The resume marker: whether the engine mined when it was cut off, so that an engine that is started again at once mines on. */
import { z } from 'zod'
import { startOptions, type StartOptions } from '#shared/contract/engine'
import { describeFault, type RigContext } from '../base'

const KEY = 'mining-alive'
const BEAT_MILLISECONDS = 15_000
/** After a longer interruption the person starts mining again. */
const RESUME_WITHIN_MILLISECONDS = 60_000

/** Version 0.1 called a backend an engine: what it left under that name is read as one. */
const leftOptions = startOptions
  .extend({ engine: startOptions.shape.backend })
  .transform(({ engine, ...options }): StartOptions =>
    engine === undefined ? options : { backend: engine, ...options },
  )
const marker = z.object({ at: z.number(), options: leftOptions }).nullable()

export interface ResumeMarker {
  /** the options of the mining that was cut off less than a minute ago; null: there was none */
  readonly interrupted: StartOptions | null
  /** Mining begins: writes the marker now and every 15 s. */
  begin(options: StartOptions): void
  /** Mining ends: removes the marker. */
  end(): void
}

/** Reads the marker of the former run. A beat that cannot be written is logged, and the next one is tried in its turn. */
export function openResumeMarker({ ledger, clock, log }: Pick<RigContext, 'ledger' | 'clock' | 'log'>): ResumeMarker {
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
        log.warn('that mining goes on could not be recorded', { error: describeFault(error) })
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
