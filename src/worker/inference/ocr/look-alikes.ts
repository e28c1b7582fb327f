/** A character that was read, and how likely its look-alikes were at the same place. */
export interface ReadCharacter {
  character: string
  probability: number
  lookAlikes: readonly { character: string; probability: number }[]
}

const GROUPS = ['oO0', 'lI1']
/** Every character that has look-alikes. */
export const LOOK_ALIKES = GROUPS.join('')
/** A look-alike counts only where the network itself hesitated. Measured on drawn lines: misread ones 0.1 to 0.5, right ones mostly below 0.02. */
const HESITATION = 0.08

/** The other members of a character's group. */
export function lookAlikesOf(character: string): string[] {
  const group = character === '' ? undefined : GROUPS.find((members) => members.includes(character))
  return Array.from(group ?? '').filter((member) => member !== character)
}

/**
 * The text, with o and 0, l, I and 1 settled by the word they stand in where the network hesitated: letters among letters,
 * digits among digits, a capital I at the start of the line.
 */
export function settleLookAlikes(line: readonly ReadCharacter[]): string {
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
  const { character, lookAlikes } = word[index]!
  const likely = lookAlikes
    .filter(({ probability }) => probability >= HESITATION)
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
