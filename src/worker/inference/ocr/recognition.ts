/** Recognition: reads the text of lines that detection found. */
import type { InferenceSession } from 'onnxruntime-node'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { LINE_HEIGHT, STEP_COLUMNS, type Line } from './crop'
import { CONFUSABLE_CHARACTERS, confusablesOf, settleConfusables, type ReadCharacter } from './confusables'

export interface Reading {
  text: string
  /** mean probability of the characters, 0 to 1; 0 for an empty text */
  confidence: number
}

/** The classes of recognition: 0 is the blank, the last one a space. */
interface Alphabet {
  classes: number
  characters: readonly string[]
  /** class → classes of its confusables */
  confusables: ReadonlyMap<number, readonly number[]>
}

/** Columns of a batch at most: nothing else runs during a batch, so it stays small. */
const MAX_BATCH_COLUMNS = 3200
/** Padding costs work and changes results a little: in a batch, the widest line is at most this much wider than the narrowest. */
const MAX_PADDING_RATIO = 1.2
/** Summed probability of a space between two characters; measured on drawn lines: below 0.01 inside words, above 0.06 between them. */
const SPACE_EVIDENCE = 0.03

/**
 * Reads lines, narrow ones first, and answers in the order of `lines`. `checkpoint` runs between batches and may throw to stop.
 * Lines narrower than their batch are padded with zeros (mid grey), as in training.
 */
export async function readLines(
  session: InferenceSession,
  characters: readonly string[],
  lines: readonly Line[],
  checkpoint: () => void,
): Promise<Reading[]> {
  const alphabet = alphabetOf(characters)
  const readings: Reading[] = lines.map(() => ({ text: '', confidence: 0 }))
  for (const batch of batches(lines)) {
    checkpoint()
    const results = await readBatch(
      session,
      alphabet,
      batch.map((index) => lines[index]!),
    )
    batch.forEach((index, position) => {
      readings[index] = results[position]!
    })
  }
  return readings
}

function alphabetOf(characters: readonly string[]): Alphabet {
  const classOf = new Map(characters.map((character, index) => [character, index]))
  const confusables = new Map<number, number[]>()
  for (const character of CONFUSABLE_CHARACTERS) {
    const own = classOf.get(character)
    if (own === undefined) continue
    confusables.set(
      own,
      confusablesOf(character).flatMap((like) => classOf.get(like) ?? []),
    )
  }
  return { classes: characters.length, characters, confusables }
}

function batches(lines: readonly Line[]): number[][] {
  const order = lines.map((_, index) => index).toSorted((a, b) => lines[a]!.columns - lines[b]!.columns)
  const result: number[][] = []
  let current: number[] = []
  for (const index of order) {
    const { columns } = lines[index]!
    const narrowest = lines[current[0] ?? index]!.columns
    if (
      current.length > 0 &&
      (columns > narrowest * MAX_PADDING_RATIO || columns * (current.length + 1) > MAX_BATCH_COLUMNS)
    ) {
      result.push(current)
      current = []
    }
    current.push(index)
  }
  if (current.length > 0) result.push(current)
  return result
}

async function readBatch(session: InferenceSession, alphabet: Alphabet, lines: Line[]): Promise<Reading[]> {
  const { Tensor } = await import('onnxruntime-node')
  const columns = Math.max(...lines.map((line) => line.columns))
  const input = new Float32Array(lines.length * 3 * LINE_HEIGHT * columns)
  lines.forEach((line, position) => {
    const planes = line.cut()
    for (let row = 0; row < 3 * LINE_HEIGHT; row++) {
      const target = (position * 3 * LINE_HEIGHT + row) * columns
      input.set(planes.subarray(row * line.columns, (row + 1) * line.columns), target)
    }
  })
  const feeds = { [session.inputNames[0]!]: new Tensor('float32', input, [lines.length, 3, LINE_HEIGHT, columns]) }
  const output = (await session.run(feeds))[session.outputNames[0]!]!
  const [, steps = 0, classes = 0] = output.dims
  if (classes !== alphabet.classes) {
    throw new Failure('model-refused', message('ocr-characters', { classes, listed: alphabet.classes }))
  }
  const probabilities = output.data as Float32Array
  return lines.map((line, position) => {
    const own = Math.min(steps, Math.ceil(line.columns / STEP_COLUMNS))
    const from = position * steps * classes
    return decode(probabilities.subarray(from, from + own * classes), alphabet)
  })
}

/**
 * Greedy CTC: the likeliest class of every step, without repetitions and blanks. Between words a space seldom exceeds the
 * blank, and within a word it has almost no probability; so two characters are separated when the summed probability of a
 * space between them reaches SPACE_EVIDENCE.
 */
function decode(probabilities: Float32Array, { classes, characters, confusables }: Alphabet): Reading {
  const line: ReadCharacter[] = []
  let previous = 0
  let spaceEvidence = 0
  for (let from = 0; from < probabilities.length; from += classes) {
    const best = likeliest(probabilities, from, classes)
    const character = best === previous ? '' : (characters[best] ?? '')
    if (character !== '') {
      const before = line.at(-1)?.character
      if (spaceEvidence >= SPACE_EVIDENCE && takesSpace(before, character)) {
        line.push({ character: ' ', probability: Math.min(1, spaceEvidence), confusables: [] })
      }
      line.push({
        character,
        probability: probabilities[from + best] ?? 0,
        confusables: (confusables.get(best) ?? []).map((like) => ({
          character: characters[like] ?? '',
          probability: probabilities[from + like] ?? 0,
        })),
      })
      spaceEvidence = 0
    } else if (best === 0) {
      spaceEvidence += probabilities[from + classes - 1] ?? 0
    }
    previous = best
  }
  const letters = line.filter(({ character }) => character !== ' ')
  const sum = letters.reduce((total, { probability }) => total + probability, 0)
  return {
    text: settleConfusables(line).trim(),
    confidence: letters.length === 0 ? 0 : Math.min(1, sum / letters.length),
  }
}

function likeliest(probabilities: Float32Array, from: number, classes: number): number {
  let best = 0
  let bestValue = -1
  for (let candidate = 0; candidate < classes; candidate++) {
    const value = probabilities[from + candidate] ?? 0
    if (value > bestValue) {
      best = candidate
      bestValue = value
    }
  }
  return best
}

/** Whether a space may stand between two characters: not beside a space, and not between two Chinese or Japanese characters, which are written without spaces. */
function takesSpace(before: string | undefined, after: string): boolean {
  if (before === undefined || before === ' ' || after === ' ') return false
  const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u
  return !(unspaced.test(before) && unspaced.test(after))
}
