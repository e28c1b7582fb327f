/** Chat: greedy or sampled decoding of many requests at once, streamed, with the evidence that lets anyone check it. */
import { chatMacs } from '#shared/domain/manifest'
import { message } from '#shared/domain/messages'
import type { ChatInput, JobRun } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { WorkerMethods } from '#shared/ipc/worker'
import { countTransformerMacs } from '../graph/macs'
import { readGraph } from '../graph/read'
import { damaged, graphPath, headSize, readModelConfig } from '../model-files'
import { createKindModelCache, modelKey } from '../model-cache'
import { createChatBackend, type ChatBackend } from './backend'
import { loadChatModel, type ChatModel } from './model'
import { encodePrompt } from './prompt'
import { mostNewTokens } from './text'

export interface ChatContext {
  threads: number
  signal: AbortSignal
  onToken(text: string, index: number): void
  /** nominal MACs that a run of the graph computed for this job; called synchronously for all jobs of the run */
  onComputed?(macs: number): void
}

interface Loaded {
  model: ChatModel
  backend: ChatBackend
}

const models = createKindModelCache<Loaded>(({ model }) => model.session.release())

/**
 * Answers a conversation. Ends with a token that ends the sequence or a stop string (`stop`; both count as generated), or at `maxTokens`
 * or the end of the model's context (`length`). The pieces given to `onToken` add up to the output.
 * Rejects with `invalid-input` before any work when the prompt exceeds the context, and with `cancelled` within one token
 * or one chunk of the prompt.
 */
export async function runChat(input: ChatInput, model: InstalledModel, context: ChatContext): Promise<JobRun> {
  const started = performance.now()
  const { macFormula } = model.manifest
  return models.use(
    modelKey(model, context.threads),
    () => load(model, context.threads),
    async (loaded) => {
      const prompt = await encodePrompt(loaded.model, input, context.signal)
      const answer = await loaded.backend.answer({
        prompt,
        maxNewTokens: mostNewTokens(loaded.model.context, prompt.length, input.maxTokens),
        sampling: input.sampling,
        stop: input.stop ?? [],
        signal: context.signal,
        onToken: context.onToken,
        onComputed: (range) => {
          if (macFormula.kind === 'chat') context.onComputed?.(chatMacs(macFormula, range))
        },
      })
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
  model: InstalledModel,
  context: { threads: number },
): Promise<WorkerMethods['model.probe']['result']> {
  const { model: loaded, backend } = await load(model, context.threads)
  try {
    const { signal } = new AbortController()
    const prompt = await encodePrompt(
      loaded,
      { kind: 'chat', messages: [{ role: 'user', content: 'hello' }], maxTokens: 2 },
      signal,
    )
    await backend.answer({ prompt, maxNewTokens: 2, sampling: undefined, stop: [], signal, onToken: () => undefined })
    const config = await readModelConfig(model)
    const attention = { heads: config.num_attention_heads ?? 1, headSize: headSize(config) }
    const macs = countTransformerMacs(
      await readGraph(graphPath(model)),
      [...loaded.session.outputNames],
      attention,
      'logits',
    )
    if (Object.values(macs).includes(0)) throw damaged(message('run-no-products', { file: model.manifest.id }))
    return { macFormula: { kind: 'chat', ...macs }, context: loaded.context }
  } finally {
    await loaded.session.release()
  }
}

async function load(model: InstalledModel, threads: number): Promise<Loaded> {
  const loaded = await loadChatModel(model, threads)
  return { model: loaded, backend: createChatBackend(loaded) }
}
