/** Ends an answer at a stop string, also at one that begins in one token and ends in a later one. */

export interface StopStrings {
  /** Adds text and gives the text that is certainly before any stop string. Text that may begin a stop string is held back. */
  push(piece: string): { text: string; stopped: boolean }
  /** The text that was held back, when no more text comes. */
  end(): string
}

/** The stop string itself is not part of the answer. Where several are in the text, the one that begins first counts. */
export function createStopStrings(stops: readonly string[]): StopStrings {
  let held = ''
  return {
    push: (piece) => {
      held += piece
      const found = stops.map((stop) => held.indexOf(stop)).filter((index) => index >= 0)
      if (found.length > 0) {
        const text = held.slice(0, Math.min(...found))
        held = ''
        return { text, stopped: true }
      }
      const keep = Math.max(0, ...stops.map((stop) => beginningAtEnd(held, stop)))
      const text = held.slice(0, held.length - keep)
      held = held.slice(held.length - keep)
      return { text, stopped: false }
    },
    end: () => {
      const text = held
      held = ''
      return text
    },
  }
}

/** Length of the longest end of `text` with which `stop` begins. */
function beginningAtEnd(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length
  }
  return 0
}
