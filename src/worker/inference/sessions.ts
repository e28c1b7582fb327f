/** Loading ONNX sessions. */
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'

export type Runtime = typeof import('onnxruntime-node')

export interface LoadedGraph {
  runtime: Runtime
  session: InferenceSession
}

/**
 * Opens a graph for the CPU with that many threads. `allowSpinning`: between two operators of a run, waiting threads spin
 * instead of sleeping, which is faster for graphs of many small operators. Throws a Failure `model-refused` when the file is
 * damaged or cannot run here.
 */
export async function openGraph(
  path: string,
  threads: number,
  { allowSpinning = false }: { allowSpinning?: boolean } = {},
): Promise<LoadedGraph> {
  const runtime = await import('onnxruntime-node')
  try {
    const session = await runtime.InferenceSession.create(path, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      enableMemPattern: false, // shapes change with every run
      logSeverityLevel: 4,
      // Between runs waiting threads always sleep: the machine belongs to the person, and work per joule counts.
      extra: { session: { intra_op: { allow_spinning: allowSpinning ? '1' : '0' }, force_spinning_stop: '1' } },
    })
    return { runtime, session }
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
    const file = path.split(/[\\/]/).at(-1) ?? path
    throw new Failure(
      'model-refused',
      message('run-not-possible', { file, words: reason.replaceAll(path, file).slice(0, 300) }),
    )
  }
}

/** Shape and element type of an input or output, when it is a tensor. Symbolic dimensions are strings. */
export function tensorShape(
  metadata: readonly InferenceSession.ValueMetadata[],
  name: string,
): { type: Tensor.Type; shape: readonly (number | string)[] } | undefined {
  const found = metadata.find((value) => value.name === name)
  return found?.isTensor ? { type: found.type, shape: found.shape } : undefined
}
