/** What a graph may contain before any runtime sees it: known operators, and weights that lie inside the folder. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'
import { relativePath } from '#shared/domain/manifest'
import { message } from '#shared/domain/messages'
import { checkSize, type FolderFile } from './folder-scan'
import { refused } from './refusal'

const ALLOWED_DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'])

export interface CheckedGraph {
  path: string
  inputs: string[]
  outputs: string[]
  /** files of external weights, relative to the model folder */
  externalFiles: string[]
  sha256: string
}

/** Reads a graph as data. Throws a Failure for a damaged one, a custom operator, or a path that leaves the folder. */
export async function checkGraph(file: FolderFile, files: ReadonlyMap<string, FolderFile>): Promise<CheckedGraph> {
  checkSize(file)
  const bytes = await readFile(file.source)
  const model = decode(file.path, bytes)
  const graphs = model.graph ? [model.graph] : []
  const tensors: onnx.ITensorProto[] = []
  for (let graph = graphs.pop(); graph; graph = graphs.pop()) {
    tensors.push(...(graph.initializer ?? []))
    tensors.push(
      ...(graph.sparseInitializer ?? []).flatMap((sparse) => [sparse.values ?? [], sparse.indices ?? []].flat()),
    )
    collectNodes(file.path, graph.node ?? [], tensors, graphs)
  }
  for (const definition of model.functions ?? []) {
    collectNodes(file.path, definition.node ?? [], tensors, graphs)
    for (let graph = graphs.pop(); graph; graph = graphs.pop())
      collectNodes(file.path, graph.node ?? [], tensors, graphs)
  }
  const externalFiles = new Set(tensors.flatMap((tensor) => externalFile(file.path, tensor, files)))
  const weights = new Set((model.graph?.initializer ?? []).map((tensor) => tensor.name ?? ''))
  return {
    path: file.path,
    inputs: (model.graph?.input ?? []).map((input) => input.name ?? '').filter((name) => !weights.has(name)),
    outputs: (model.graph?.output ?? []).map((output) => output.name ?? ''),
    externalFiles: [...externalFiles].toSorted(),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }
}

/** What a graph is for. Throws a Failure when it is neither a decoder with a key-value cache nor an encoder. */
export function transformerKind({ path, inputs, outputs }: CheckedGraph): 'chat' | 'embed' {
  if (inputs.some((name) => name.startsWith('past_key_values.')) && outputs.includes('logits')) return 'chat'
  if (inputs.includes('input_ids') && !outputs.includes('logits')) return 'embed'
  throw refused(message('model-no-known-kind', { file: path, inputs: inputs.slice(0, 4).join(', ') }))
}

function decode(path: string, bytes: Uint8Array): onnx.IModelProto {
  let model: onnx.IModelProto
  try {
    model = onnxProto.onnx.ModelProto.decode(bytes)
  } catch {
    throw refused(message('model-not-onnx', { file: path }))
  }
  const { graph } = model
  if (!graph?.node?.length || !graph.output?.length || !model.opsetImport?.length) {
    throw refused(message('model-not-onnx', { file: path }))
  }
  const made = new Set([
    ...(graph.node ?? []).flatMap((node) => node.output ?? []),
    ...(graph.initializer ?? []).map((tensor) => tensor.name ?? ''),
  ])
  if (graph.output.some((output) => !made.has(output.name ?? '')))
    throw refused(message('model-cut-output', { file: path }))
  return model
}

function collectNodes(
  path: string,
  nodes: onnx.INodeProto[],
  tensors: onnx.ITensorProto[],
  graphs: onnx.IGraphProto[],
): void {
  for (const node of nodes) {
    if (!ALLOWED_DOMAINS.has(node.domain ?? '')) {
      throw refused(
        message('model-custom-operator', { file: path, domain: node.domain ?? '', operator: node.opType ?? '' }),
      )
    }
    for (const attribute of node.attribute ?? []) {
      if (attribute.t) tensors.push(attribute.t)
      tensors.push(...(attribute.tensors ?? []))
      if (attribute.g) graphs.push(attribute.g)
      graphs.push(...(attribute.graphs ?? []))
    }
  }
}

const EXTERNAL = 1

/** The file of a tensor whose weights lie outside the graph; none for others. */
function externalFile(path: string, tensor: onnx.ITensorProto, files: ReadonlyMap<string, FolderFile>): string[] {
  const entries = new Map((tensor.externalData ?? []).map((entry) => [entry.key ?? '', entry.value ?? '']))
  if (tensor.dataLocation !== EXTERNAL && entries.size === 0) return []
  const location = entries.get('location') ?? ''
  if (!relativePath.safeParse(location).success) {
    throw refused(message('model-weights-outside', { file: path, location: JSON.stringify(location) }))
  }
  const inside = posix.join(posix.dirname(path), location)
  const file = files.get(inside)
  if (!file) throw refused(message('model-weights-missing', { file: inside, graph: path }))
  const end = Number(entries.get('offset') ?? 0) + Number(entries.get('length') ?? 0)
  if (!(end <= file.bytes)) throw refused(message('model-weights-cut', { file: inside, graph: path, end }))
  return [inside]
}
