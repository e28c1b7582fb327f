/** The sizes of a model that decide its graph, whatever file they were read from; and the limits that they are held to. */
import { z } from 'zod'

export const decoderFamilies = ['llama', 'qwen2', 'qwen3'] as const
export type DecoderFamilyName = (typeof decoderFamilies)[number]

const count = (most: number): z.ZodNumber => z.number().int().min(1).max(most)
/** By these a hostile header cannot ask for more than a model of any family has. */
export const sizes = {
  layers: count(512),
  width: count(65_536),
  hidden: count(1_048_576),
  heads: count(1024),
  headSize: count(1024).refine((size) => size % 2 === 0, 'must be even'),
  context: count(16_777_216),
  epsilon: z.number().gt(0).lt(1),
  rotaryBase: z.number().gt(1).lt(1e12),
  rotaryScale: z.number().min(1).max(1000),
} as const

export interface DecoderShape {
  family: DecoderFamilyName
  /** rows of query and key stand for rotary pairs that lie side by side, not half a head apart */
  pairedRotary: boolean
  layers: number
  width: number
  hidden: number
  heads: number
  keyValueHeads: number
  headSize: number
  /** tokens; at most what the attention window of the model reaches */
  context: number
  epsilon: number
  rotaryBase: number
  /** positions are divided by this (linear scaling), 1 for none */
  rotaryScale: number
  /** each pair's frequency is divided by its own number beside that; none where null */
  rotaryFactors: Float32Array | null
}

export interface EncoderShape {
  family: 'bert'
  layers: number
  width: number
  hidden: number
  heads: number
  /** tokens of the position table */
  context: number
  epsilon: number
}

export type ModelShape = DecoderShape | EncoderShape
