/** Selects the files of a folder that make the model, and its manifest if it is known. */
import { describeParseError } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { modelManifest, type ModelManifest } from '#shared/domain/manifest'
import { readFile } from 'node:fs/promises'
import { checkSize, MAX_MODEL_BYTES, type FolderFile } from './folder-scan'
import { checkGraph, transformerKind, type CheckedGraph } from './graph-check'
import { refused } from './refusal'

/** Files beside the graph that a chat or embedding model may need. All other files are ignored. */
const REQUIRED = ['config.json', 'tokenizer.json'] as const
const OPTIONAL = [
  'tokenizer_config.json',
  'generation_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'sentence_bert_config.json',
  '1_Pooling/config.json',
] as const
/** Names of graphs, the preferred first: a folder may have several exports of one model. */
const GRAPH_NAMES = [
  'model.onnx',
  'onnx/model.onnx',
  'onnx/model_quantized.onnx',
  'onnx/model_int8.onnx',
  'onnx/model_q4.onnx',
] as const
const OTHER_GRAPH = /^onnx\/model[\w.-]*\.onnx$/

export interface Selection {
  files: FolderFile[]
  kind: ModelManifest['kind']
  /** the graphs as they were checked */
  graphs: CheckedGraph[]
  /** the folder's own manifest */
  manifest?: ModelManifest
}

/** Chooses the files to install; `graph` names the one that was asked for. Throws a Failure naming a missing, empty or too large file. */
export async function selectFiles(files: ReadonlyMap<string, FolderFile>, graph?: string): Promise<Selection> {
  const manifestFile = graph === undefined ? files.get('card.json') : undefined
  const selection = manifestFile
    ? await selectByManifest(await readManifest(manifestFile), files)
    : await selectByNames(files, graph)
  for (const file of selection.files) checkSize(file)
  const total = selection.files.reduce((sum, file) => sum + file.bytes, 0)
  if (total > MAX_MODEL_BYTES) throw refused(message('model-folder-too-large', { bytes: total }))
  return selection
}

async function readManifest(file: FolderFile): Promise<ModelManifest> {
  checkSize(file)
  let value: unknown
  try {
    value = JSON.parse(await readFile(file.source, 'utf8'))
  } catch {
    throw refused(message('model-card-not-json', { file: file.path }))
  }
  const parsed = modelManifest.safeParse(value)
  if (!parsed.success)
    throw refused(message('model-card-wrong', { file: file.path, fault: describeParseError(parsed.error) }))
  return parsed.data
}

async function selectByManifest(manifest: ModelManifest, files: ReadonlyMap<string, FolderFile>): Promise<Selection> {
  const chosen = manifest.files.map((listed) => {
    const file = files.get(listed.path)
    if (!file) throw refused(message('model-card-file-missing', { file: listed.path }))
    if (file.bytes !== listed.bytes) {
      throw refused(message('model-card-file-size', { file: listed.path, bytes: file.bytes, wanted: listed.bytes }))
    }
    return file
  })
  const graphs = chosen.filter((file) => file.path.endsWith('.onnx'))
  const checked = await Promise.all(graphs.map((file) => checkGraph(file, files)))
  const listed = new Set(manifest.files.map((file) => file.path))
  for (const graph of checked) {
    const outside = graph.externalFiles.find((path) => !listed.has(path))
    if (manifest.kind !== 'ocr' && transformerKind(graph) !== manifest.kind) {
      throw refused(
        message('model-card-other-kind', {
          file: 'card.json',
          kind: manifest.kind,
          graph: graph.path,
          wanted: transformerKind(graph),
        }),
      )
    }
    if (outside !== undefined)
      throw refused(message('model-card-not-naming', { file: 'card.json', file2: outside, graph: graph.path }))
  }
  if (checked.length === 0) throw refused(message('model-card-no-graph', { file: 'card.json' }))
  return { files: chosen, kind: manifest.kind, manifest, graphs: checked }
}

async function selectByNames(files: ReadonlyMap<string, FolderFile>, asked?: string): Promise<Selection> {
  const named = (path: string): FolderFile => {
    const file = files.get(path)
    if (!file) throw refused(message('model-file-missing', { file: path }))
    return file
  }
  const others = [...files.keys()].filter((path) => OTHER_GRAPH.test(path)).toSorted()
  const graphPath = asked ?? [...GRAPH_NAMES, ...others].find((path) => files.has(path)) ?? 'model.onnx'
  const required = [graphPath, ...REQUIRED].map(named)
  const graph = await checkGraph(named(graphPath), files)
  const optional = [...OPTIONAL, ...graph.externalFiles].flatMap((path) => files.get(path) ?? [])
  const chosen = new Map([...required, ...optional].map((file) => [file.path, file]))
  return { files: [...chosen.values()], kind: transformerKind(graph), graphs: [graph] }
}
