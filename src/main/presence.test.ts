import { expect, it } from 'vitest'
import { portPair } from '#process/port'
import { reportPresence } from './presence'

it('tells how long nobody was there: often while away, rarely otherwise, and no more once stopped', async () => {
  const [ours, engines] = portPair()
  const reported: unknown[] = []
  engines.onMessage((message) => reported.push(message))
  let idle = 3
  let next: { milliseconds: number; callback: () => void } | null = null
  const reports = reportPresence(ours, {
    idleSeconds: () => idle,
    clock: {
      setTimeout: (callback, milliseconds) => {
        next = { milliseconds, callback }
        return {
          cancel: () => {
            next = null
          },
        }
      },
    },
  })
  const waiting = (): { milliseconds: number; callback: () => void } | null => next
  expect(waiting()?.milliseconds).toBe(10_000)
  idle = 400
  waiting()?.callback()
  expect(waiting()?.milliseconds).toBe(1000)
  await new Promise((resolve) => setImmediate(resolve))
  expect(reported).toEqual([
    { type: 'request', id: 1, method: 'engine.presence', params: { idleSeconds: 3 } },
    { type: 'request', id: 2, method: 'engine.presence', params: { idleSeconds: 400 } },
  ])
  reports.stop()
  expect(waiting()).toBe(null)
})
