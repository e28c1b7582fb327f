/** Appraises a result by its kind. Runs in a thread that may be ended at any moment (thread.ts). */
import { message } from '#shared/domain/messages'
import { describeParseError, Failure } from '#shared/domain/errors'
import { jobInput } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { WorkerMethods } from '#shared/ipc/worker'
import type { ChatText } from '../inference/chat/text'
import type { EmbedText } from '../inference/embed/model'
import { wrong, type Appraisal } from './appraisal'

export type AppraisalParameters = WorkerMethods['job.appraise']['params']

/** What a thread keeps of the models that it was asked about last. */
const MOST_TEXTS = 2

export interface Appraising {
  /** Rejects with a Failure where the model's own files are at fault: that says nothing of the result. */
  appraise(params: AppraisalParameters): Promise<Appraisal>
}

/** Tokenizers and templates of the latest models are kept. */
export function createAppraising(): Appraising {
  const texts = new Map<string, Promise<ChatText | EmbedText>>()
  const kept = <T extends ChatText | EmbedText>(model: InstalledModel, load: () => Promise<T>): Promise<T> => {
    const key = JSON.stringify([model.hash, model.folder, model.manifest.context])
    const known = texts.get(key) ?? load()
    texts.delete(key)
    texts.set(key, known)
    for (const oldest of texts.keys()) {
      if (texts.size <= MOST_TEXTS) break
      texts.delete(oldest)
    }
    known.catch(() => texts.delete(key))
    return known as Promise<T>
  }
  const { signal } = new AbortController()

  const byKind = async ({ model, input: text, ...claim }: AppraisalParameters): Promise<Appraisal> => {
    const input = parseInput(text)
    if (input.kind !== model.manifest.kind) return wrong('The model is of another kind than the job.')
    switch (input.kind) {
      case 'chat': {
        const [{ loadChatText }, { appraiseChat }] = await Promise.all([
          import('../inference/chat/text'),
          import('./chat'),
        ])
        return appraiseChat(input, claim, await kept(model, () => loadChatText(model)), signal)
      }
      case 'embed': {
        const [{ loadEmbedText }, { appraiseEmbed }] = await Promise.all([
          import('../inference/embed/model'),
          import('./embed'),
        ])
        return appraiseEmbed(input, claim, await kept(model, () => loadEmbedText(model)), signal)
      }
      case 'ocr':
        return (await import('./ocr')).appraiseOcr(input, claim, signal)
    }
  }

  return {
    appraise: async (params) => {
      try {
        return await byKind(params)
      } catch (error) {
        // No honest result belongs to an input that the model does not take.
        if (error instanceof Failure && error.code === 'invalid-input') return wrong(`${error.message}.`)
        throw error
      }
    },
  }
}

function parseInput(text: string) {
  const parsed = jobInput.safeParse(JSON.parse(text))
  if (!parsed.success)
    throw new Failure(
      'wrong-usage',
      message('request-wrong', { method: 'job.appraise', fault: describeParseError(parsed.error) }),
    )
  return parsed.data
}
