/** A model file or folder that is open for reading while its graph is made. */
import type { ModelShape } from './graphs/shapes'
import type { TensorSource } from './sources/tensor-source'

export interface OpenedModel {
  /** tensors by GGUF's names, whatever names the file has */
  tensors: TensorSource
  shape: ModelShape
  name: string
  licence: string
  endOfSequenceIds: number[]
  paddingId?: number
  /** the files beside the graph but config.json, by their path in the model folder: tokenizer, template, pooling */
  files: Readonly<Record<string, string>>
  /** the files that it was made from, absolute */
  paths: string[]
}
