/** Makes a model folder that Lode can run from a GGUF file, or from safetensors with their configuration. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { ModelConversion, ModelPrecision } from '#shared/domain/model-stages'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createGraphWriter } from './graphs/graph-writer'
import { buildGraph } from './graphs/index'
import type { OpenedModel } from './opened-model'
import { openGgufModel } from './sources/gguf-model'
import { openHubModel } from './sources/hub-model'

/**
 * Writes graph, weights, configuration and tokenizer into the folder, which is made, and is removed again when it cannot be
 * done. Throws a Failure: `model-refused`, which names the file and the reason, or `data-folder` where the disk is full.
 */
export async function convertModel({
  form,
  path,
  folder,
  precision = 'int8',
}: ModelConversion): Promise<{ name: string; licence: string }> {
  const model = form === 'gguf' ? await openGgufModel(path) : await openHubModel(path)
  try {
    await mkdir(folder)
    try {
      await writeModel(model, folder, precision)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw inWords(error, dirname(folder))
    }
    return { name: model.name, licence: model.licence }
  } finally {
    await model.tensors.close()
  }
}

/** The process that makes a model has no other way to tell the engine that the disk is full. */
function inWords(error: unknown, place: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new Failure('data-folder', message('model-disk-full', { place }))
}

async function writeModel(model: OpenedModel, folder: string, precision: ModelPrecision): Promise<void> {
  const { shape, files } = model
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const graph = await createGraphWriter(folder)
  let context: number
  try {
    context = await buildGraph(model.tensors, shape, precision, graph)
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
    ...(shape.family === 'bert' ? {} : { num_key_value_heads: shape.keyValueHeads, head_dim: shape.headSize }),
    max_position_embeddings: context,
    ...(model.endOfSequenceIds.length > 0 ? { eos_token_id: model.endOfSequenceIds } : {}),
    ...(model.paddingId === undefined ? {} : { pad_token_id: model.paddingId }),
  }
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
}
