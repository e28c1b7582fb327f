/** Model folders made for tests: small, real ONNX files with whatever a test wants to be wrong in them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'
import { onTestFinished } from 'vitest'

export interface GraphOptions {
  inputs?: string[]
  output?: string
  /** operator domain of the only product */
  domain?: string
  /** where the weights lie when they are not in the graph */
  externalData?: Record<string, string>
}

const WIDTH = 4

/** A graph with one product: input → MatMul(weights[4, 4]) → output. */
export function smallGraph(options: GraphOptions = {}): Uint8Array {
  const { inputs = ['input_ids', 'attention_mask'], output = 'last_hidden_state', domain = '', externalData } = options
  const weights: onnx.ITensorProto = { name: 'weights', dims: [WIDTH, WIDTH], dataType: 1 }
  if (externalData) {
    weights.dataLocation = 1
    weights.externalData = Object.entries(externalData).map(([key, value]) => ({ key, value }))
  } else {
    weights.rawData = new Uint8Array(new Float32Array(WIDTH * WIDTH).fill(0.5).buffer)
  }
  const value = (name: string): onnx.IValueInfoProto => ({
    name,
    type: { tensorType: { elemType: 7, shape: { dim: [{ dimParam: 'n' }] } } },
  })
  const model: onnx.IModelProto = {
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'small',
      input: inputs.map(value),
      output: [value(output)],
      initializer: [weights],
      node: [{ opType: 'MatMul', domain, input: [inputs[0] ?? '', 'weights'], output: [output] }],
    },
  }
  return onnxProto.onnx.ModelProto.encode(model).finish()
}

/** The files of an embedding model that passes every check made before it runs. */
export function smallModel(graph: GraphOptions = {}): Record<string, string | Uint8Array> {
  return { 'config.json': '{}', 'tokenizer.json': '{}', 'model.onnx': smallGraph(graph) }
}

/** For stores that are given folders only. */
export function noConversion(): Promise<never> {
  return Promise.reject(new Error('nothing was to be converted'))
}

/** A fresh folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lode-models-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes files into a fresh folder with the given name. */
export function folderOf(files: Record<string, string | Uint8Array>, name = 'my-model'): string {
  const folder = join(temporaryFolder(), name)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}
