/**
 * The stages of a model, one type each:
 * `GivenModel` (engine/models/given-model.ts): a file or folder as a person or a download gave it, its form determined;
 * `ModelConversion`: its graph is being made; `InstalledModel`: it lies in the store; `LoadedModel`: a worker has it in memory.
 * The manifest describes a model from its installation on. The views for the screens are in contract/models.ts.
 */
import { z } from 'zod'
import { hex64 } from './bytes'
import { modelManifest, type ModelManifest } from './manifest'
import { modelHash } from './model-hash'

/** The form of a model's files: weights that a graph is made from, or a graph. */
export const modelForm = z.enum(['gguf', 'safetensors', 'onnx'])
export type ModelForm = z.infer<typeof modelForm>

/**
 * The precision of the weights in a graph that Lode makes. `int8`: 8 bits, or 4 if the file has blocks of 4 bits; `float32`:
 * the exact numbers of the file.
 */
export const modelPrecisions = ['int8', 'float32'] as const
export type ModelPrecision = (typeof modelPrecisions)[number]

/** A model whose graph is being made. */
export const modelConversion = z.object({
  form: modelForm.exclude(['onnx']),
  /** absolute: a GGUF file; a safetensors file with its configuration beside it, or the folder with both */
  path: z.string().min(1),
  /** absolute: the model's folder; it must not exist yet */
  folder: z.string().min(1),
  /** absent: int8 */
  precision: z.enum(modelPrecisions).optional(),
})
export type ModelConversion = z.infer<typeof modelConversion>

/** A model as it lies in the store, or in an unfinished folder while it is tried: what a device can run. */
export const installedModel = z.object({
  manifest: modelManifest,
  /** absolute folder that the manifest's file paths are relative to */
  folder: z.string().min(1),
  /** of its content, see model-hash.ts */
  hash: hex64,
})
export type InstalledModel = z.infer<typeof installedModel>

/** An installed model from its manifest and its absolute folder; computes its hash. */
export function installedModelOf(manifest: ModelManifest, folder: string): InstalledModel {
  return { manifest, folder, hash: modelHash(manifest) }
}

/** A model whose weights a worker holds in memory. */
export interface LoadedModel {
  /** model hash */
  hash: string
  /** about the memory that it takes: the size of its files */
  bytes: number
}
