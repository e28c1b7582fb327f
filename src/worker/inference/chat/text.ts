/** What a chat model's text becomes: tokenizer, template, context and the tokens that end a sequence. Its graph is in model.ts. */
import { message } from '#shared/domain/messages'
import { Template } from '@huggingface/jinja'
import { z } from 'zod'
import type { InstalledModel } from '#shared/domain/model-stages'
import { contextTokens, damaged, readModelConfig, readModelJson, readModelText, type ModelConfig } from '../model-files'
import { loadTokenizer, tokenText, type TextTokenizer, type TokenizerConfig } from '../tokenizer'

export interface ChatText {
  tokenizer: TextTokenizer
  template: Template
  endIds: ReadonlySet<number>
  /** tokens that prompt and answer may have together */
  context: number
}

const generationConfig = z.looseObject({
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
})

/** Throws a Failure `model-refused` that names the file at fault. */
export async function loadChatText(model: InstalledModel): Promise<ChatText> {
  const config = await readModelConfig(model)
  const generation = await readModelJson(model, 'generation_config.json', generationConfig)
  const tokenizer = await loadTokenizer(model)
  return {
    tokenizer,
    template: await loadTemplate(model, tokenizer.config),
    endIds: endOfSequence(config, generation?.eos_token_id, tokenizer),
    context: contextTokens(model.manifest.context, config.max_position_embeddings, tokenizer.config.model_max_length),
  }
}

/**
 * The most tokens of an answer. Prompt and answer share the context; the last generated token never passes through the
 * layers.
 */
export function mostNewTokens(context: number, promptTokens: number, maxTokens: number): number {
  return Math.min(maxTokens, context - promptTokens + 1)
}

async function loadTemplate(model: InstalledModel, config: TokenizerConfig): Promise<Template> {
  const own = config.chat_template
  const named = Array.isArray(own) ? own.find((entry) => entry.name === 'default')?.template : own
  const text = (await readModelText(model, 'chat_template.jinja')) ?? named
  if (!text) throw damaged(message('run-no-chat-template', { file: 'tokenizer_config.json' }))
  try {
    return new Template(text)
  } catch (error) {
    throw damaged(message('run-chat-template-wrong', { words: error instanceof Error ? error.message : String(error) }))
  }
}

function endOfSequence(
  config: ModelConfig,
  generation: number | number[] | null | undefined,
  tokenizer: TextTokenizer,
): Set<number> {
  const token = tokenText(tokenizer.config.eos_token)
  const ids = [generation, config.eos_token_id, token === undefined ? undefined : tokenizer.idOf(token)]
  return new Set(ids.flat().filter((id): id is number => typeof id === 'number'))
}
