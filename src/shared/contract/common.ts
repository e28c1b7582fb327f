import { z } from 'zod'
import { decimal } from '#shared/domain/bytes'
import { certainties } from '#shared/domain/energy'

export const nothing = z.null()
export const certainty = z.enum(certainties)
export type { Certainty } from '#shared/domain/energy'

export const period = z.enum(['1h', '3h', '24h', '7d'])
export type Period = z.infer<typeof period>

/** Energy over a period. `joules` absent: nothing is known about this machine's power. */
export const energy = z.object({
  joules: z.number().optional(),
  certainty: certainty.optional(),
  /** 0 to 1, of the joules */
  measuredShare: z.number().optional(),
  /** the sensor or the table row, in words: "RAPL package counter", "Intel ark: TDP 65 W × load" */
  source: z.string(),
})
export type Energy = z.infer<typeof energy>

/** Money in millionths of the currency's unit, an integer as a decimal string; may be negative. */
export const microMoney = z.string().regex(/^-?(0|[1-9][0-9]*)$/)

export const money = z.object({ micros: microMoney, currency: z.string().length(3) })
export type Money = z.infer<typeof money>

/** What the electricity of one job cost, in billionths of the currency's unit. */
export const smallCost = z.object({
  nanos: microMoney,
  currency: z.string().length(3),
  /** the price of a kilowatt hour was assumed, since none is set */
  priceAssumed: z.boolean(),
})
export type SmallCost = z.infer<typeof smallCost>

export { decimal }
