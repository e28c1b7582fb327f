import type { DayRow } from '#shared/contract/earnings'
import { certaintyOfSum, type Certainty } from '#shared/domain/energy'

/** How certain the energy of all `days` together is; null: nothing is known about any of them. */
export function certaintyOfDays(days: readonly Pick<DayRow, 'energy'>[]): Certainty | null {
  return certaintyOfSum(
    days.flatMap(({ energy: { joules = 0, certainty, measuredShare } }) =>
      certainty === undefined ? [] : [{ amount: joules, certainty, measuredShare }],
    ),
  )
}
