/** The throttle: the share of each device that mining may take at three levels, which the person sets. */
import { z } from 'zod'

/** inUse: a person uses the computer; idle: nobody does, or it is not known; night: the hours that the person set */
export const throttleLevelName = z.enum(['inUse', 'idle', 'night'])
export type ThrottleLevelName = z.infer<typeof throttleLevelName>

export const pace = z.object({
  /** of the device's threads, rounded up; never fewer than one */
  threadsShare: z.number().gt(0).max(1),
  /** share of the time at work; 0: no proving at this level */
  dutyCycle: z.number().min(0).max(1),
})
export type Pace = z.infer<typeof pace>

/** "22:00", local time */
export const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day is written 22:00')

export const throttle = z.object({
  inUse: pace,
  idle: pace,
  /** null: the night is like any other hour */
  night: pace.extend({ from: timeOfDay, to: timeOfDay }).nullable(),
})
export type Throttle = z.infer<typeof throttle>

const FULL: Pace = { threadsShare: 1, dutyCycle: 1 }
export const DEFAULT_THROTTLE: Throttle = { inUse: FULL, idle: FULL, night: null }
