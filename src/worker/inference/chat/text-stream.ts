/** Turns a growing list of tokens into text, in pieces of whole characters. */

/** How many tokens are decoded again with each new one: decoders look at neighbours (spaces, byte sequences). */
const OVERLAP_TOKENS = 8
const WINDOW_TOKENS = 64
const REPLACEMENT = '�'

export interface TextStream {
  /** Adds a token and gives the text that is certain now: often one word, empty in the middle of a character. */
  push(id: number): string
  /** The text that was held back; an incomplete character at the end is U+FFFD. */
  end(): string
}

/** `decode` gives the text of ids, with U+FFFD for an incomplete character. One at the end is held back until later tokens complete it. */
export function createTextStream(decode: (ids: number[]) => string): TextStream {
  let window: number[] = []
  let emitted = 0

  const advance = (text: string): string => {
    const piece = text.slice(emitted)
    emitted = Math.max(emitted, text.length)
    return piece
  }
  return {
    push: (id) => {
      window.push(id)
      const text = decode(window)
      if (text.endsWith(REPLACEMENT)) return advance(text.slice(0, -1))
      const piece = advance(text)
      if (window.length >= WINDOW_TOKENS) {
        window = window.slice(-OVERLAP_TOKENS)
        emitted = decode(window).length
      }
      return piece
    },
    end: () => advance(decode(window)),
  }
}
