/** An embedding model in memory: graph, tokenizer, and how its vectors are pooled. */
import { z } from 'zod'
import type { InstalledModel } from '#shared/domain/model-stages'
import { message } from '#shared/domain/messages'
import { contextTokens, damaged, graphPath, readModelConfig, readModelJson } from '../model-files'
import { openGraph, tensorShape, type LoadedGraph } from '../sessions'
import { loadTokenizer, tokenText, type TextTokenizer } from '../tokenizer'

/** What a text becomes before it reaches the graph. */
export interface EmbedText {
  tokenizer: TextTokenizer
  /** tokens a text may have, special tokens included */
  context: number
  padId: number
}

export interface EmbedModel extends LoadedGraph, EmbedText {
  pooling: 'mean' | 'first'
  /** the output of shape [texts, tokens, dimensions] */
  output: string
}

const knownInputs = new Set(['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'])
const pooling = z.looseObject({
  pooling_mode_cls_token: z.boolean().optional(),
  pooling_mode_mean_tokens: z.boolean().optional(),
})
const sentenceConfig = z.looseObject({ max_seq_length: z.number().int().positive().nullish() })

/** Throws a Failure `model-refused` that names the file at fault. */
export async function loadEmbedText(model: InstalledModel): Promise<EmbedText> {
  const config = await readModelConfig(model)
  const tokenizer = await loadTokenizer(model)
  const sentence = await readModelJson(model, 'sentence_bert_config.json', sentenceConfig)
  const context = contextTokens(
    model.manifest.context,
    sentence?.max_seq_length,
    config.max_position_embeddings,
    tokenizer.config.model_max_length,
  )
  const padToken = tokenText(tokenizer.config.pad_token)
  const padId = config.pad_token_id ?? (padToken === undefined ? undefined : tokenizer.idOf(padToken)) ?? 0
  return { tokenizer, context, padId }
}

/** Ids of a text with its special tokens, cut at the context. Rejects with Failure `cancelled` when the signal fires. */
export async function encodeText(
  { tokenizer, context, padId }: EmbedText,
  text: string,
  signal: AbortSignal,
): Promise<number[]> {
  const textTokens = Math.max(0, context - tokenizer.prefix.length - tokenizer.suffix.length)
  const { ids } = await tokenizer.encode(text, textTokens, signal)
  const framed = [...tokenizer.prefix, ...ids.slice(0, textTokens), ...tokenizer.suffix]
  // A tokenizer without special tokens gives no tokens for an empty text; one padding token gives it a vector all the same.
  return framed.length > 0 ? framed : [padId]
}

/** Loads the model. Throws a Failure `model-refused` that names the file at fault. */
export async function loadEmbedModel(model: InstalledModel, threads: number): Promise<EmbedModel> {
  const text = await loadEmbedText(model)
  const poolingFile = await readModelJson(model, '1_Pooling/config.json', pooling)
  const path = graphPath(model)
  const graph = await openGraph(path, threads)
  const file = path.split(/[\\/]/).at(-1) ?? path
  const unknown = graph.session.inputNames.find((name) => !knownInputs.has(name))
  const output = graph.session.outputNames.find(
    (name) => tensorShape(graph.session.outputMetadata, name)?.shape.length === 3,
  )
  if (unknown !== undefined || output === undefined) {
    await graph.session.release()
    throw damaged(
      unknown === undefined
        ? message('run-no-token-vectors', { file })
        : message('run-unknown-input', { file, input: unknown }),
    )
  }
  return {
    ...graph,
    ...text,
    output,
    pooling: poolingFile?.pooling_mode_cls_token === true ? 'first' : 'mean',
  }
}
