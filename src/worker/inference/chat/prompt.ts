/** Renders the prompt of a conversation with the model's template. A template is a program from a file, so its time is limited. */
import { runInNewContext } from 'node:vm'
import { Failure } from '#shared/domain/errors'
import type { ChatInput, ChatMessage } from '#shared/domain/job'
import { tokenText } from '../tokenizer'
import type { ChatText } from './text'

/** A template takes milliseconds, even for a text of a million characters. */
const LIMIT_MILLISECONDS = 3000

/**
 * Ids of a rendered conversation. Rejects with Failure `invalid-input` where they exceed the context or there are none, and as
 * `renderPrompt`.
 */
export async function encodePrompt(
  model: Pick<ChatText, 'template' | 'tokenizer' | 'context'>,
  input: ChatInput,
  signal: AbortSignal,
): Promise<number[]> {
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

/**
 * The prompt as the model expects it. Throws a Failure `invalid-input` when the template refuses the messages (for example
 * their order), and `model-refused` when it does not end in time.
 */
export function renderPrompt(
  model: Pick<ChatText, 'template' | 'tokenizer'>,
  messages: readonly ChatMessage[],
  limitMilliseconds = LIMIT_MILLISECONDS,
): string {
  const { config } = model.tokenizer
  const render = (): string =>
    model.template.render({
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: true,
      bos_token: tokenText(config.bos_token) ?? '',
      eos_token: tokenText(config.eos_token) ?? '',
      pad_token: tokenText(config.pad_token) ?? '',
      unk_token: tokenText(config.unk_token) ?? '',
    })
  try {
    return runInNewContext('render()', { render }, { timeout: limitMilliseconds }) as string
  } catch (error) {
    if (isTimeout(error)) {
      throw new Failure(
        'model-refused',
        `the model's chat template did not end within ${limitMilliseconds / 1000} s`,
        'Its file is damaged or made to do harm. Choose another model.',
      )
    }
    const reason = error instanceof Error ? error.message : String(error)
    throw new Failure(
      'invalid-input',
      `the model's chat template does not take these messages: ${reason}`,
      'Ask with one message of the user.',
    )
  }
}

function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
