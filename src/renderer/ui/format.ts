/** The formatters of figures in the language and region of the person who looks. */
import { formats } from '#shared/domain/format'

export {
  joined,
  listed,
  macScale,
  minutesSeconds,
  NONE,
  percent,
  sentence,
  shortId,
  span,
  type Figure,
} from '#shared/domain/format'

/** All formatters of the person's region. */
export const personal = formats(navigator.language)

/** Time alone for today, with the day otherwise. */
export const shortTime = (at: number): string => personal.shortTime(at, Date.now())

export const {
  bytes,
  clock,
  clockSeconds,
  count,
  dayClock,
  dayMonth,
  duration,
  gigabytes,
  gigaMacs,
  jobCost,
  joules,
  kilowattHours,
  microUnit,
  money,
  moneyFigure,
  price,
  scaled,
  short,
  three,
  watts,
} = personal
