/** Makes a model folder that Lode can run from a GGUF file. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { buildDecoderGraph } from './decoder-graph'
import { readDecoderShape } from './decoder-shape'
import { openGguf, type GgufFile } from './gguf-file'
import { createGraphWriter } from './graph-writer'
import { tokenizerFiles } from './tokenizer-files'

export interface ConvertedModel {
  name: string
  licence: string
}

/**
 * Writes graph, weights, configuration and tokenizer into `folder`, which is made, and is removed again when it cannot be
 * done. Throws a Failure `model-refused` that names the file and the reason.
 */
export async function convertGguf(path: string, folder: string): Promise<ConvertedModel> {
  const name = basename(path)
  const file = await openGguf(path)
  try {
    const shape = readDecoderShape(file, name)
    const tokenizer = tokenizerFiles(file, name)
    await mkdir(folder)
    try {
      for (const [to, text] of Object.entries(tokenizer)) await writeFile(join(folder, to), text)
      const graph = await createGraphWriter(folder)
      let context: number
      try {
        context = await buildDecoderGraph(file, shape, graph)
      } catch (error) {
        await graph.abandon()
        throw error
      }
      await graph.finish()
      const config = {
        model_type: shape.family,
        num_hidden_layers: shape.layers,
        hidden_size: shape.width,
        intermediate_size: shape.hidden,
        num_attention_heads: shape.heads,
        num_key_value_heads: shape.keyValueHeads,
        head_dim: shape.headSize,
        max_position_embeddings: context,
        ...endOfSequence(file),
      }
      await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
    return { name: text(file, 'general.name') ?? name, licence: text(file, 'general.license') ?? 'unknown' }
  } finally {
    await file.close()
  }
}

function endOfSequence({ metadata }: GgufFile): { eos_token_id?: number } {
  const id = metadata['tokenizer.ggml.eos_token_id']
  return typeof id === 'number' || typeof id === 'bigint' ? { eos_token_id: Number(id) } : {}
}

function text({ metadata }: GgufFile, key: string): string | undefined {
  const value = metadata[key]
  return typeof value === 'string' && value.trim() !== '' ? value.slice(0, 120) : undefined
}
