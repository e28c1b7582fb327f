import { useEffect, useMemo, useRef, useState } from 'react'
import type { WorkFilter } from '#shared/contract/jobs'
import { client } from '../../data/client'
import { asFailure } from '../../data/store'
import { JobPages } from './job-pages'

const REST_MILLISECONDS = 700

/** Pages of one filter; while following, new and changed rows bring the newest window again. */
export function useJobPages(filter: WorkFilter, following: boolean): JobPages {
  const key = JSON.stringify(filter)
  const [, redraw] = useState(0)
  const pages = useMemo(() => make(key, redraw), [key])
  useEffect(() => {
    pages.follow()
    return client.watch((link) => link === 'ready' && pages.follow())
  }, [pages])
  const isFollowing = useRef(following)
  useEffect(() => {
    if (following && !isFollowing.current) pages.follow()
    isFollowing.current = following
  }, [following, pages])
  useEffect(() => {
    let rest: ReturnType<typeof setTimeout> | undefined
    const soon = (): void => {
      if (!isFollowing.current) return
      rest ??= setTimeout(() => {
        rest = undefined
        if (isFollowing.current) pages.follow()
      }, REST_MILLISECONDS)
    }
    const stops = [
      client.on('job.changed', (row) => {
        if (!pages.update(row)) soon()
      }),
      client.on('share.changed', soon),
      client.on('credit.changed', soon),
    ]
    return () => {
      clearTimeout(rest)
      for (const stop of stops) stop()
    }
  }, [pages])
  return pages
}

function make(key: string, redraw: (update: (count: number) => number) => void): JobPages {
  const filter = JSON.parse(key) as WorkFilter
  return new JobPages(
    (offset, limit) => client.call('jobs.page', { filter, offset, limit }),
    asFailure,
    () => redraw((times) => times + 1),
  )
}
