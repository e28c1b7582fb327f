/** The graph of a model, by its family. */
import type { ModelPrecision } from '#shared/domain/model-stages'
import type { TensorSource } from '../sources/tensor-source'
import { buildBertGraph } from './bert'
import { buildDecoderGraph, type AttentionBuilder } from './decoder'
import type { GraphWriter } from './graph-writer'
import { llamaAttention } from './llama'
import { qwen2Attention } from './qwen2'
import { qwen3Attention } from './qwen3'
import type { DecoderFamilyName, ModelShape } from './shapes'

const ATTENTION: Readonly<Record<DecoderFamilyName, AttentionBuilder>> = {
  llama: llamaAttention,
  qwen2: qwen2Attention,
  qwen3: qwen3Attention,
}

/** Writes all nodes and weights; gives the context in tokens that the graph reaches. Throws a Failure for a tensor that does not fit. */
export async function buildGraph(
  source: TensorSource,
  shape: ModelShape,
  precision: ModelPrecision,
  graph: GraphWriter,
): Promise<number> {
  if (shape.family === 'bert') return buildBertGraph(source, shape, precision, graph)
  return buildDecoderGraph(source, shape, precision, graph, ATTENTION[shape.family])
}
