/** Chat: greedy or sampled decoding, streamed, with the evidence that lets anyone check it. */
import { Failure } from '#shared/domain/errors'
import type { ChatInput, ChatSampling, JobRun } from '#shared/domain/job'
import type { ModelLocation, WorkerMethods } from '#shared/domain/worker-protocol'
import { countTransformerMacs } from '../graph/macs'
import { readGraph } from '../graph/read'
import { damaged, graphPath, headSize, readModelConfig } from '../model-files'
import { createModelCache, modelKey } from '../residency'
import { createDecoder, type Decoder } from './decoder'
import { bestTokens } from './log-probabilities'
import { loadChatModel, renderPrompt, type ChatModel } from './model'
import { createSampler } from './sampler'
import { createStopStrings } from './stop-strings'
import { createTextStream } from './text-stream'

export interface ChatContext {
  threads: number
  signal: AbortSignal
  onToken(text: string, index: number): void
}

const models = createModelCache<ChatModel>((model) => model.session.release())

/**
 * Answers a conversation. Ends with a token that ends the sequence or a stop string (`stop`; both count as generated), or at `maxTokens`
 * or the end of the model's context (`length`). The pieces given to `onToken` add up to the output.
 * Rejects with `invalid-input` before any work when the prompt exceeds the context, with `cancelled` within a token or a
 * part of the prompt.
 */
export async function runChat(input: ChatInput, model: ModelLocation, context: ChatContext): Promise<JobRun> {
  const started = performance.now()
  return models.use(
    modelKey(model, context.threads),
    () => loadChatModel(model, context.threads),
    async (loaded) => {
      const prompt = await encodePrompt(loaded, input, context.signal)
      // Prompt and answer share the context; the last token generated never passes through the layers.
      const room = Math.min(input.maxTokens, loaded.context - prompt.length + 1)
      const answer = await generate(loaded, { prompt, room, sampling: input.sampling, stop: input.stop ?? [] }, context)
      return {
        output: answer.text,
        evidence: {
          kind: 'chat',
          promptTokenIds: prompt,
          tokenIds: answer.ids,
          topLogProbabilities: answer.top,
          finish: answer.finish,
        },
        sizes: { kind: 'chat', promptTokens: prompt.length, generatedTokens: answer.ids.length },
        milliseconds: performance.now() - started,
      }
    },
  )
}

/** Loads the model, generates two tokens, and counts its MACs. Rejects with `model-refused`. */
export async function probeChat(
  model: ModelLocation,
  context: { threads: number },
): Promise<WorkerMethods['model.probe']['result']> {
  const loaded = await loadChatModel(model, context.threads)
  try {
    const { signal } = new AbortController()
    const prompt = await encodePrompt(
      loaded,
      { kind: 'chat', messages: [{ role: 'user', content: 'hello' }], maxTokens: 2 },
      signal,
    )
    const ask = { prompt, room: 2, sampling: undefined, stop: [] }
    await generate(loaded, ask, { signal, onToken: () => undefined })
    const config = await readModelConfig(model)
    const attention = { heads: config.num_attention_heads ?? 1, headSize: headSize(config) }
    const macs = countTransformerMacs(
      await readGraph(graphPath(model)),
      [...loaded.session.outputNames],
      attention,
      'logits',
    )
    if (Object.values(macs).includes(0)) throw damaged(model.card.id, 'has no matrix products that Lode can count')
    return { macFormula: { kind: 'chat', ...macs }, context: loaded.context }
  } finally {
    await loaded.session.release()
  }
}

async function encodePrompt(model: ChatModel, input: ChatInput, signal: AbortSignal): Promise<number[]> {
  const { ids, complete } = await model.tokenizer.encode(renderPrompt(model, input.messages), model.context, signal)
  if (!complete || ids.length > model.context) {
    const length = complete ? `${ids.length}` : `more than ${model.context}`
    throw new Failure(
      'invalid-input',
      `the text has ${length} tokens; this model takes at most ${model.context}`,
      'Shorten the text, or choose a model with a longer context.',
    )
  }
  if (ids.length === 0) throw new Failure('invalid-input', 'the conversation is empty', 'Write a question.')
  return ids
}

interface Ask {
  prompt: number[]
  /** the most tokens to generate */
  room: number
  sampling: ChatSampling | undefined
  stop: readonly string[]
}

interface Answer {
  text: string
  ids: number[]
  top: [id: number, logProbability: number][][]
  finish: 'stop' | 'length'
}

async function generate(model: ChatModel, ask: Ask, context: Omit<ChatContext, 'threads'>): Promise<Answer> {
  const decoder = createDecoder(model)
  const stream = createTextStream((ids) => model.tokenizer.decode(ids))
  const stops = createStopStrings(ask.stop)
  const sampler = createSampler(ask.sampling, ask.prompt)
  const answer: Answer = { text: '', ids: [], top: [], finish: 'length' }
  const emit = (text: string): void => {
    if (text === '') return
    answer.text += text
    context.onToken(text, answer.ids.length - 1)
  }
  let logits = await absorbPrompt(model, decoder, ask.prompt, context.signal)
  for (;;) {
    throwIfCancelled(context.signal)
    if (!logits.some(Number.isFinite)) throw damaged('logits', 'are no numbers')
    const chosen = sampler.choose(logits)
    const top = bestTokens(logits, chosen)
    if (!top) throw damaged('logits', 'are no numbers')
    answer.ids.push(chosen)
    answer.top.push(top)
    if (model.endIds.has(chosen)) {
      answer.finish = 'stop'
      break
    }
    const { text, stopped } = stops.push(stream.push(chosen))
    emit(text)
    if (stopped) return { ...answer, finish: 'stop' }
    if (answer.ids.length >= ask.room) break
    logits = await decoder.next([chosen])
  }
  const last = stops.push(stream.end())
  emit(last.text)
  if (last.stopped) return { ...answer, finish: 'stop' }
  emit(stops.end())
  return answer
}

/**
 * Logits are asked for in the last part only: those of the others are not needed, and large. No part has one token
 * alone where two are to be had: one-row products take another kernel, which rounds otherwise, and so what a prompt
 * gives does not depend on how it is cut.
 */
async function absorbPrompt(
  model: ChatModel,
  decoder: Decoder,
  prompt: number[],
  signal: AbortSignal,
): Promise<Float32Array> {
  const last = Math.max(0, prompt.length - 2)
  let start = 0
  while (start < last) {
    throwIfCancelled(signal)
    const part = Math.min(model.prefillTokens, last - start)
    const tokens = last - start - part === 1 && part > 2 ? part - 1 : part
    await decoder.absorb(prompt.slice(start, start + tokens))
    start += tokens
  }
  throwIfCancelled(signal)
  return decoder.next(prompt.slice(last))
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new Failure('cancelled', 'the job was cancelled')
}
