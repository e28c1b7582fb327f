import { throttle as throttleSchema, type Pace, type Throttle } from '#shared/contract/throttle'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { CommandContext } from '../command-context'
import { withSession } from '../session'

export const throttleLevels = ['in-use', 'idle', 'night'] as const
export type ThrottleLevel = (typeof throttleLevels)[number]

export interface ThrottleOptions {
  level?: ThrottleLevel
  /** percent */
  threadsShare?: number
  duty?: number
  from?: string
  to?: string
  off?: boolean
}

/** `lode throttle`: shows the levels; with `--level` changes that one. */
export async function throttle({ output, dataDir }: CommandContext, options: ThrottleOptions): Promise<void> {
  const { level, threadsShare, duty, from, to, off } = options
  const wanted = Object.fromEntries(
    Object.entries({ threadsShare, duty, from, to, off }).filter(([, value]) => value !== undefined),
  )
  if (level === undefined && Object.keys(wanted).length > 0)
    throw new Failure('wrong-usage', message('throttle-no-level'))
  await withSession(dataDir, async ({ client }) => {
    const before = (await client.call('settings.get', null)).throttle
    const after =
      level === undefined
        ? before
        : (await client.call('settings.set', { throttle: changed(before, level, wanted) })).throttle
    output.answer(after, [
      `In use: ${words(after.inUse)}`,
      `Idle: ${words(after.idle)}`,
      after.night === null
        ? 'Night: not set'
        : `Night, ${after.night.from} to ${after.night.to}: ${words(after.night)}`,
    ])
  })
}

/** Throws Failure `wrong-usage` for what does not belong together. */
export function changed(before: Throttle, level: ThrottleLevel, options: Omit<ThrottleOptions, 'level'>): Throttle {
  const { threadsShare, duty, from, to, off } = options
  const isNight = level === 'night'
  if (!isNight && (from !== undefined || to !== undefined || off === true))
    throw new Failure('wrong-usage', message('throttle-not-night'))
  const pace: Partial<Pace> = {
    ...(threadsShare === undefined ? {} : { threadsShare: threadsShare / 100 }),
    ...(duty === undefined ? {} : { dutyCycle: duty / 100 }),
  }
  if (level === 'in-use') return { ...before, inUse: { ...before.inUse, ...pace } }
  if (level === 'idle') return { ...before, idle: { ...before.idle, ...pace } }
  if (off === true) return { ...before, night: null }
  const night = before.night ?? { threadsShare: 1, dutyCycle: 1, from: '22:00', to: '07:00' }
  const next = throttleSchema.safeParse({
    ...before,
    night: { ...night, ...pace, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
  })
  if (!next.success) throw new Failure('wrong-usage', message('throttle-hours'))
  return next.data
}

function words({ threadsShare, dutyCycle }: Pace): string {
  if (dutyCycle <= 0) return 'no proving'
  return `${Math.round(threadsShare * 100)} % of the threads, ${Math.round(dutyCycle * 100)} % of the time`
}
