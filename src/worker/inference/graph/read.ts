/** Reads of an ONNX graph what MAC counting needs: nodes and the sizes of constants, without weights. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'
import { message } from '#shared/domain/messages'
import { damaged } from '../model-files'

export interface GraphNode {
  operator: string
  inputs: string[]
  outputs: string[]
  /** whole-number attributes */
  integers: Map<string, number>
}

export interface Graph {
  nodes: GraphNode[]
  /** elements of every initializer and Constant */
  constantElements: Map<string, number>
  outputs: string[]
  /** the node that makes each value */
  producers: Map<string, GraphNode>
}

/** Reads a graph from its file. Of an `If`, the branch with more nodes counts. Throws a Failure for a damaged file. */
export async function readGraph(path: string): Promise<Graph> {
  let graph: onnx.IGraphProto | null | undefined
  try {
    graph = onnxProto.onnx.ModelProto.decode(await readFile(path)).graph
  } catch (error) {
    throw damaged(
      message('run-not-onnx', { file: basename(path), words: error instanceof Error ? error.message : String(error) }),
    )
  }
  if (!graph) throw damaged(message('run-no-graph', { file: basename(path) }))
  const result: Graph = { nodes: [], constantElements: new Map(), outputs: [], producers: new Map() }
  collect(graph, result)
  result.outputs = (graph.output ?? []).map((value) => value.name ?? '')
  for (const node of result.nodes) for (const output of node.outputs) result.producers.set(output, node)
  return result
}

function collect(graph: onnx.IGraphProto, into: Graph): void {
  for (const tensor of graph.initializer ?? []) into.constantElements.set(tensor.name ?? '', elements(tensor))
  for (const proto of graph.node ?? []) {
    const node: GraphNode = {
      operator: proto.opType ?? '',
      inputs: proto.input ?? [],
      outputs: proto.output ?? [],
      integers: new Map((proto.attribute ?? []).map((attribute) => [attribute.name ?? '', Number(attribute.i ?? 0)])),
    }
    into.nodes.push(node)
    if (node.operator === 'Constant') {
      const tensor = proto.attribute?.find((attribute) => attribute.name === 'value')?.t
      into.constantElements.set(node.outputs[0] ?? '', tensor ? elements(tensor) : 1)
    }
    const branches = (proto.attribute ?? []).flatMap((attribute) =>
      node.operator === 'If' && attribute.g ? [attribute.g] : [],
    )
    const branch = branches.toSorted((a, b) => (b.node?.length ?? 0) - (a.node?.length ?? 0))[0]
    if (!branch) continue
    collect(branch, into)
    branch.output?.forEach((value, index) => {
      const output = node.outputs[index]
      if (output)
        into.nodes.push({ operator: 'Identity', inputs: [value.name ?? ''], outputs: [output], integers: new Map() })
    })
  }
}

function elements(tensor: onnx.ITensorProto): number {
  return (tensor.dims ?? []).reduce<number>((product, dimension) => product * Number(dimension), 1)
}
