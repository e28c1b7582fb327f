/** An answer that grows token by token: each token is chosen, its evidence recorded, its text emitted, and the end detected. */
import { message } from '#shared/domain/messages'
import { damaged } from '../model-files'
import { createAnswerText } from './answer-text'
import { bestTokens } from './log-probabilities'
import type { ChatModel } from './model'
import type { ChatRequest } from './request'
import { createSampler } from './sampler'

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
  const text = createAnswerText(model, request.stop, (piece) => request.onToken(piece, answer.ids.length - 1))
  const sampler = createSampler(request.sampling, request.prompt)
  const answer: Answer = { text: '', ids: [], top: [], finish: 'length' }
  return {
    answer,
    take: (logits) => {
      if (!logits.some(Number.isFinite)) throw damaged(message('run-logits-no-numbers'))
      const chosen = sampler.choose(logits)
      const top = bestTokens(logits, chosen)
      if (!top) throw damaged(message('run-logits-no-numbers'))
      answer.ids.push(chosen)
      answer.top.push(top)
      const isComplete = text.push(chosen) || answer.ids.length >= request.maxNewTokens
      if (isComplete) {
        text.end()
        answer.text = text.text
        answer.finish = text.stopped ? 'stop' : 'length'
      }
      return isComplete ? null : chosen
    },
  }
}
