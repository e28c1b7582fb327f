/**
 * Figures as people read them, on the screens, in the command's output and in the engine's sentences: three significant
 * digits, a unit beside them, zero only for zero.
 */
import { moneyFormats } from './format/money'
import { numberFormats } from './format/numbers'
import { quantityFormats } from './format/quantities'
import { timeFormats } from './format/times'

export { joined, NO_BREAK_SPACE, NONE, type Figure } from './format/numbers'
export { macScale, percent } from './format/quantities'
export { minutesSeconds, span } from './format/times'
export { listed, sentence, shortId } from './format/words'

/** All formatters for one language and region: a BCP 47 tag. */
export function formats(locale: string) {
  const numbers = numberFormats(locale)
  return { ...numbers, ...quantityFormats(numbers), ...moneyFormats(locale, numbers), ...timeFormats(locale, numbers) }
}

/** For the command line and the engine's own sentences, which are English. */
export const english = formats('en-US')
