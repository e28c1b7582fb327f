/** The text of an answer as its tokens come, and where it ends: at an end-of-sequence token or a stop string. */
import { createStopStrings } from './stop-strings'
import type { ChatText } from './text'
import { createTextStream } from './text-stream'

export interface AnswerText {
  /** Adds a token. Whether the answer is complete with it; then no other token follows. */
  push(id: number): boolean
  /** Adds the text that was held back. Call it once, after the last token. */
  end(): void
  readonly text: string
  /** an end-of-sequence token or a stop string ended it, also one that only the held back text completed */
  readonly stopped: boolean
}

/** `onPiece`: called with each piece of the text, whole characters; the pieces add up to it. */
export function createAnswerText(
  model: { tokenizer: Pick<ChatText['tokenizer'], 'decode'>; endIds: ChatText['endIds'] },
  stop: readonly string[],
  onPiece: (piece: string) => void = () => undefined,
): AnswerText {
  const stream = createTextStream((ids) => model.tokenizer.decode(ids))
  const stops = createStopStrings(stop)
  let all = ''
  let stopped = false
  /** whether a stop string was found; nothing is added after it */
  let cut = false
  const emit = (piece: string): void => {
    if (piece === '') return
    all += piece
    onPiece(piece)
  }
  const add = (piece: string): void => {
    const found = stops.push(piece)
    emit(found.text)
    cut = found.stopped
    stopped ||= found.stopped
  }
  return {
    push: (id) => {
      if (model.endIds.has(id)) stopped = true
      else add(stream.push(id))
      return stopped
    },
    end: () => {
      if (!cut) add(stream.end())
      if (!cut) emit(stops.end())
    },
    get text() {
      return all
    },
    get stopped() {
      return stopped
    },
  }
}
