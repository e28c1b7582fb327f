/** A screen's question to the engine, with its answer: loading, failed or data. The question is repeated when the engine reports a change. */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { EventName, MethodName, Params, Result } from '#shared/contract/index'
import { Failure, toFailureValue } from '#shared/domain/errors'
import { client } from './client'

export interface Answer<T> {
  /** the last answer; stays while it is asked again and when that fails */
  data: T | undefined
  /** the last failure, gone with the next answer */
  failure: Failure | undefined
  reload(): void
}

/** Last answers by question, so that a screen opened again shows them at once. */
const remembered = new Map<string, unknown>()

interface Options {
  /** events after which the answer is asked for again, at most once in `restMilliseconds` */
  on?: readonly EventName[]
  restMilliseconds?: number
  /** the question is also repeated after this time without an event */
  everyMilliseconds?: number
  /** false: the question is not asked yet */
  enabled?: boolean
}

/** Asks `method` now, after reconnection, when the window becomes visible, and on the given events. */
export function useAnswer<M extends MethodName>(
  method: M,
  params: Params<M>,
  options: Options = {},
): Answer<Result<M>> {
  const { on = NO_EVENTS, restMilliseconds = 1000, everyMilliseconds, enabled = true } = options
  const key = enabled ? `${method} ${JSON.stringify(params)}` : null
  const [state, setState] = useState<Remembered<M>>(() => recall<M>(key))
  const latest = useRef(key)
  useEffect(() => {
    latest.current = key
  }, [key])

  const reload = useCallback(() => {
    if (key === null || client.state !== 'ready') return
    client.call(method, JSON.parse(key.slice(method.length + 1)) as Params<M>).then(
      (data) => {
        remembered.set(key, data)
        if (latest.current === key) setState({ key, data })
      },
      (error: unknown) => {
        const failure = error instanceof Failure ? error : Failure.from(toFailureValue(error))
        // The frame reports a lost link once; the panels do not repeat it.
        if (latest.current === key && failure.code !== 'unavailable')
          setState((before) => ({ ...before, key, failure }))
      },
    )
  }, [key, method])

  const events = on.join(' ')
  useEffect(() => {
    reload()
    const stopWatching = client.watch((link) => link === 'ready' && reload())
    const wake = (): void => {
      if (!document.hidden) reload()
    }
    document.addEventListener('visibilitychange', wake)
    let rest: ReturnType<typeof setTimeout> | undefined
    const soon = (): void => {
      rest ??= setTimeout(() => {
        rest = undefined
        reload()
      }, restMilliseconds)
    }
    const stops = (events === '' ? [] : events.split(' ')).map((event) => client.on(event as EventName, soon))
    const beat = everyMilliseconds === undefined ? undefined : setInterval(wake, everyMilliseconds)
    return () => {
      stopWatching()
      document.removeEventListener('visibilitychange', wake)
      clearTimeout(rest)
      clearInterval(beat)
      for (const stop of stops) stop()
    }
  }, [reload, events, restMilliseconds, everyMilliseconds])

  const current = state.key === key ? state : recall<M>(key)
  return { data: current.data, failure: current.failure, reload }
}

const NO_EVENTS: readonly EventName[] = []

interface Remembered<M extends MethodName> {
  key: string | null
  data?: Result<M>
  failure?: Failure
}

function recall<M extends MethodName>(key: string | null): Remembered<M> {
  const data = key === null ? undefined : (remembered.get(key) as Result<M> | undefined)
  return data === undefined ? { key } : { key, data }
}
