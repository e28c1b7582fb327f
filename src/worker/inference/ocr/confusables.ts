/** Characters that look alike (o, O and 0; l, I and 1), distinguished by the word they are in. */

/** A character that was read, and the probabilities of its confusables at the same place. */
export interface ReadCharacter {
  character: string
  probability: number
  confusables: readonly { character: string; probability: number }[]
}

const GROUPS = ['oO0', 'lI1']
/** Every character that has confusables. */
export const CONFUSABLE_CHARACTERS = GROUPS.join('')
/** A confusable is considered from this probability on. Measured on drawn lines: 0.1 to 0.5 where the character was misread, mostly below 0.02 where it was right. */
const LEAST_PROBABILITY = 0.08

/** The other members of a character's group. */
export function confusablesOf(character: string): string[] {
  const group = character === '' ? undefined : GROUPS.find((members) => members.includes(character))
  return Array.from(group ?? '').filter((member) => member !== character)
}

/**
 * The text of a line. Where the network was uncertain between confusables, the word decides: letters among letters, digits
 * among digits, a capital I at the start of the line.
 */
export function settleConfusables(line: readonly ReadCharacter[]): string {
  let text = ''
  let word: ReadCharacter[] = []
  for (const read of [...line, undefined]) {
    if (read && /[\p{L}\p{N}]/u.test(read.character)) {
      word.push(read)
      continue
    }
    const startsLine = text === ''
    text += word.map((_, index) => settle(word, index, startsLine)).join('') + (read?.character ?? '')
    word = []
  }
  return text
}

function settle(word: readonly ReadCharacter[], index: number, startsLine: boolean): string {
  const { character, confusables } = word[index]!
  const likely = confusables
    .filter(({ probability }) => probability >= LEAST_PROBABILITY)
    .toSorted((a, b) => b.probability - a.probability)
  if (likely.length === 0) return character
  const others = word
    .filter((_, position) => position !== index)
    .map((read) => read.character)
    .join('')
  const among = (pattern: RegExp): string | undefined =>
    likely.find((candidate) => pattern.test(candidate.character))?.character
  if (/^\d+$/.test(others)) return /\d/.test(character) ? character : (among(/\d/) ?? character)
  if (!/^\p{L}+$/u.test(others)) return character
  if (/\d/.test(character)) return among(/\p{L}/u) ?? character
  if (character === 'l' && ((startsLine && index === 0) || !/\p{Ll}/u.test(others))) return among(/I/) ?? character
  return character
}
