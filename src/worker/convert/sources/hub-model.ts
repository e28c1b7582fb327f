/** A folder as the hub has it: safetensors with config.json and the tokenizer's files. Only plain files inside it are read. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { z } from 'zod'
import { message } from '#shared/domain/messages'
import type { OpenedModel } from '../opened-model'
import { hubShape } from './hub-config'
import { hubNames } from './hub-names'
import { openSafetensors } from './safetensors-file'
import { refuse, type TensorSource } from './tensor-source'

const ONE_FILE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
const MAX_TEXT_BYTES = 256 * 1024 ** 2
const MAX_PARTS = 1000
/** Taken as they are. */
const TOKENIZER = 'tokenizer.json'
const TEMPLATE = 'chat_template.jinja'
const SETTINGS = 'tokenizer_config.json'
const POOLING = '1_Pooling/config.json'
const OTHERS = ['generation_config.json', 'special_tokens_map.json', 'sentence_bert_config.json'] as const

const index = z.looseObject({ weight_map: z.record(z.string(), z.string()) })
const ends = z.looseObject({
  eos_token_id: z.union([z.number().int(), z.array(z.number().int()).max(64)]).nullish(),
  pad_token_id: z.number().int().nullish(),
})
const pooling = z.looseObject({
  pooling_mode_cls_token: z.boolean().optional(),
  pooling_mode_mean_tokens: z.boolean().optional(),
})

/** `path`: the folder, or its safetensors file. Whoever asked closes `tensors`. Throws a Failure `model-refused` that names the file at fault. */
export async function openHubModel(path: string): Promise<OpenedModel> {
  const folder = await realpath((await stat(path)).isDirectory() ? path : dirname(resolve(path)))
  const config = await readJson(folder, 'config.json')
  if (config === undefined) throw missing('config.json')
  const shape = hubShape(config)
  const kind = shape.family === 'bert' ? 'embed' : 'chat'
  const paths = await weightFiles(folder)
  const files = await textFiles(folder, kind)
  const { eos_token_id, pad_token_id } = ends.safeParse(config).data ?? {}
  const tensors = await openSafetensors(paths)
  return {
    tensors: renamed(
      tensors,
      hubNames(shape.family, (name) => tensors.has(name)),
    ),
    shape,
    name: basename(folder),
    licence: licenceOf(await readText(folder, 'README.md')),
    endOfSequenceIds: [eos_token_id ?? []].flat(),
    ...(typeof pad_token_id === 'number' ? { paddingId: pad_token_id } : {}),
    files,
    paths,
  }
}

async function textFiles(folder: string, kind: 'chat' | 'embed'): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const name of [TOKENIZER, SETTINGS, TEMPLATE, POOLING, ...OTHERS]) {
    const text = await readText(folder, name)
    if (text !== undefined) files[name] = text
  }
  if (files[TOKENIZER] === undefined) throw missing(TOKENIZER)
  if (kind === 'chat') {
    const settings = z
      .looseObject({ chat_template: z.unknown().optional() })
      .safeParse(await readJson(folder, SETTINGS))
    if (files[TEMPLATE] === undefined && settings.data?.chat_template === undefined)
      throw refuse(message('model-no-chat-template-settings', { file: SETTINGS }))
  } else if (files[POOLING] !== undefined) {
    const parsed = pooling.safeParse(await readJson(folder, POOLING)).data
    if (parsed?.pooling_mode_cls_token !== true && parsed?.pooling_mode_mean_tokens !== true)
      throw refuse(message('model-pooling-settings', { file: POOLING }))
  }
  return files
}

/** All files of weights: the one, or those that the index names. */
async function weightFiles(folder: string): Promise<string[]> {
  const one = await inside(folder, ONE_FILE)
  if (one !== undefined) return [one]
  const json = await readJson(folder, INDEX)
  if (json === undefined) throw missing(ONE_FILE)
  const parsed = index.safeParse(json)
  if (!parsed.success) throw refuse(message('model-index-without-files', { file: INDEX }))
  const names = [...new Set(Object.values(parsed.data.weight_map))].toSorted()
  if (names.length === 0 || names.length > MAX_PARTS)
    throw refuse(message('model-index-files', { file: INDEX, count: names.length }))
  return Promise.all(
    names.map(async (name) => {
      if (name !== basename(name) || !name.endsWith('.safetensors'))
        throw refuse(message('model-index-name', { file: INDEX, name: JSON.stringify(name.slice(0, 80)) }))
      const path = await inside(folder, name)
      if (path === undefined) throw missing(name)
      return path
    }),
  )
}

/** The absolute path of a plain file of the folder; undefined where it has none. Throws a Failure for a link that leaves it. */
async function inside(folder: string, name: string): Promise<string | undefined> {
  let path: string
  try {
    path = await realpath(join(folder, name))
  } catch {
    return undefined
  }
  if (!path.startsWith((await realpath(folder)) + sep))
    throw refuse(message('model-link-leaves-folder-file', { file: name }))
  return (await stat(path)).isFile() ? path : undefined
}

async function readText(folder: string, name: string): Promise<string | undefined> {
  const path = await inside(folder, name)
  if (path === undefined) return undefined
  const { size } = await stat(path)
  if (size > MAX_TEXT_BYTES)
    throw refuse(message('model-file-too-large', { file: name, bytes: size, most: MAX_TEXT_BYTES }))
  return readFile(path, 'utf8')
}

async function readJson(folder: string, name: string): Promise<unknown> {
  const text = await readText(folder, name)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw refuse(message('model-file-not-json', { file: name }))
  }
}

const missing = (name: string): ReturnType<typeof refuse> => refuse(message('model-file-missing', { file: name }))

/** The licence that the head of a model's README names. */
function licenceOf(readme: string | undefined): string {
  const head = /^---\r?\n([\s\S]{0,20000}?)\r?\n---/.exec(readme ?? '')?.[1]
  return /^license:\s*["']?([\w.+-]{1,60})/m.exec(head ?? '')?.[1] ?? 'unknown'
}

function renamed(source: TensorSource, nameOf: (name: string) => string): TensorSource {
  return {
    ...source,
    has: (name) => source.has(nameOf(name)),
    tensor: (name, columns) => source.tensor(nameOf(name), columns),
  }
}
