/** An answer that grows token by token: each token is chosen, its evidence recorded, its text emitted, and the end detected. */
import { message } from '#shared/domain/messages'
import { damaged } from '../model-files'
import { bestTokens } from './log-probabilities'
import type { ChatModel } from './model'
import type { ChatRequest } from './request'
import { createSampler } from './sampler'
import { createStopStrings } from './stop-strings'
import { createTextStream } from './text-stream'

export interface Answer {
  text: string
  ids: number[]
  top: [id: number, logProbability: number][][]
  finish: 'stop' | 'length'
}

export interface GrowingAnswer {
  readonly answer: Answer
  /** Takes the logits of the next position. Gives the token that was chosen, or null when the answer is complete. */
  take(logits: Float32Array): number | null
}

export function createAnswer(model: ChatModel, request: ChatRequest): GrowingAnswer {
  const stream = createTextStream((ids) => model.tokenizer.decode(ids))
  const stops = createStopStrings(request.stop)
  const sampler = createSampler(request.sampling, request.prompt)
  const answer: Answer = { text: '', ids: [], top: [], finish: 'length' }
  const emit = (text: string): void => {
    if (text === '') return
    answer.text += text
    request.onToken(text, answer.ids.length - 1)
  }
  /** Adds text; whether a stop string ended it. */
  const add = (piece: string): boolean => {
    const { text, stopped } = stops.push(piece)
    emit(text)
    if (stopped) answer.finish = 'stop'
    return stopped
  }
  const complete = (): null => {
    if (!add(stream.end())) emit(stops.end())
    return null
  }
  return {
    answer,
    take: (logits) => {
      if (!logits.some(Number.isFinite)) throw damaged(message('run-logits-no-numbers'))
      const chosen = sampler.choose(logits)
      const top = bestTokens(logits, chosen)
      if (!top) throw damaged(message('run-logits-no-numbers'))
      answer.ids.push(chosen)
      answer.top.push(top)
      if (model.endIds.has(chosen)) {
        answer.finish = 'stop'
        return complete()
      }
      if (add(stream.push(chosen))) return null
      return answer.ids.length < request.maxNewTokens ? chosen : complete()
    },
  }
}
