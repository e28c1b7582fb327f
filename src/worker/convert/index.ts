/** Makes a model folder that Lode can run from a GGUF file, or from safetensors with their configuration. */
import { Failure } from '#shared/domain/errors'
import type { ModelPrecision } from '#shared/ipc/worker'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createGraphWriter } from './graphs/graph-writer'
import { buildGraph } from './graphs/index'
import type { OpenedModel } from './opened-model'
import { openGgufModel } from './sources/gguf-model'
import { hasSafetensors, openHubModel } from './sources/hub-model'
import { refuse } from './sources/tensor-source'

export interface ConvertedModel {
  name: string
  licence: string
}

/**
 * Writes graph, weights, configuration and tokenizer into `folder`, which is made, and is removed again when it cannot be
 * done. `path`: a GGUF file, a safetensors file with its configuration beside it, or a folder with either. Throws a Failure:
 * `model-refused`, which names the file and the reason, or `data-folder` where the disk is full.
 */
export async function convertModel(
  path: string,
  folder: string,
  { precision = 'int8' }: { precision?: ModelPrecision | undefined } = {},
): Promise<ConvertedModel> {
  const source = await openModel(path)
  try {
    await mkdir(folder)
    try {
      await writeModel(source, folder, precision)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw inWords(error, dirname(folder))
    }
    return { name: source.name, licence: source.licence }
  } finally {
    await source.tensors.close()
  }
}

/** The process that makes a model has no other way to tell the engine that the disk is full. */
function inWords(error: unknown, place: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new Failure('data-folder', 'the disk is full: the model was not made', `Free some space where ${place} lies.`)
}

async function openModel(path: string): Promise<OpenedModel> {
  if (!(await stat(path)).isDirectory()) return /\.safetensors$/i.test(path) ? openHubModel(path) : openGgufModel(path)
  if (await hasSafetensors(path)) return openHubModel(path)
  const files = (await readdir(path)).filter((name) => /\.gguf$/i.test(name))
  if (files.length === 1) return openGgufModel(join(path, files[0]!))
  throw refuse(
    'the folder',
    files.length === 0 ? 'has neither model.safetensors nor a GGUF file' : `has ${files.length} GGUF files`,
    'Give the folder of one model, or the file itself.',
  )
}

async function writeModel(source: OpenedModel, folder: string, precision: ModelPrecision): Promise<void> {
  const { shape, files } = source
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const graph = await createGraphWriter(folder)
  let context: number
  try {
    context = await buildGraph(source.tensors, shape, precision, graph)
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
    ...(source.endOfSequenceIds.length > 0 ? { eos_token_id: source.endOfSequenceIds } : {}),
    ...(source.paddingId === undefined ? {} : { pad_token_id: source.paddingId }),
  }
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
}
