/** Reads a model folder: the files that its manifest names, and their JSON through schemas. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { InstalledModel } from '#shared/domain/model-stages'

/** The fields of a transformers `config.json` that inference needs. */
export const modelConfig = z.looseObject({
  hidden_size: z.number().int().positive().optional(),
  num_attention_heads: z.number().int().positive().optional(),
  num_key_value_heads: z.number().int().positive().nullish(),
  head_dim: z.number().int().positive().nullish(),
  max_position_embeddings: z.number().int().positive().optional(),
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  pad_token_id: z.number().int().nullish(),
})
export type ModelConfig = z.infer<typeof modelConfig>

export function damaged(words: Message): Failure {
  return new Failure('model-refused', words)
}

/** The one ONNX graph of a model, absolute. Throws a Failure when the manifest names none or several. */
export function graphPath(model: InstalledModel): string {
  const graphs = model.manifest.files.filter((file) => file.path.endsWith('.onnx'))
  const graph = graphs[0]
  if (!graph || graphs.length > 1) {
    throw damaged(message('run-onnx-files', { file: model.manifest.id, count: graphs.length }))
  }
  return join(model.folder, graph.path)
}

/** Text of a file of the model, or undefined when the manifest does not name it. */
export async function readModelText(model: InstalledModel, path: string): Promise<string | undefined> {
  if (!model.manifest.files.some((file) => file.path === path)) return undefined
  try {
    return await readFile(join(model.folder, path), 'utf8')
  } catch (error) {
    throw damaged(
      message('run-not-read', { file: path, words: error instanceof Error ? error.message : String(error) }),
    )
  }
}

/** JSON of a file of the model through its schema, or undefined when the manifest does not name it. */
export async function readModelJson<T>(
  model: InstalledModel,
  path: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const text = await readModelText(model, path)
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(message('run-not-json', { file: path }))
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw damaged(message('run-fields-missing', { file: path }))
  return parsed.data
}

/** The model's `config.json`. Throws a Failure when it is absent. */
export async function readModelConfig(model: InstalledModel): Promise<ModelConfig> {
  const config = await readModelJson(model, 'config.json', modelConfig)
  if (!config) throw damaged(message('run-missing', { file: 'config.json' }))
  return config
}

/** Size of one attention head: `head_dim`, or the hidden size divided by the number of heads. */
export function headSize(config: ModelConfig): number {
  if (config.head_dim) return config.head_dim
  if (config.hidden_size && config.num_attention_heads) return config.hidden_size / config.num_attention_heads
  throw damaged(message('run-no-head-size', { file: 'config.json' }))
}

/** Context in tokens: the smallest of the candidates from the manifest, the configuration and the tokenizer. Zero and absurd values count as absent. */
export function contextTokens(...candidates: (number | null | undefined)[]): number {
  const known = candidates.filter((value): value is number => typeof value === 'number' && value > 0 && value < 1e9)
  if (known.length === 0) throw damaged(message('run-no-context', { file: 'config.json' }))
  return Math.min(...known)
}
