/** Loading ONNX sessions, and keeping the models used last. */
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { Failure } from '#shared/domain/errors'
import { modelHash } from '#shared/domain/model-hash'
import type { ModelLocation } from '#shared/domain/worker-protocol'

export type Runtime = typeof import('onnxruntime-node')

export interface LoadedGraph {
  runtime: Runtime
  session: InferenceSession
}

/** Opens a graph for the CPU with that many threads. Throws a Failure when the file is damaged or cannot run here. */
export async function openGraph(path: string, threads: number): Promise<LoadedGraph> {
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
      // Waiting threads sleep: the machine belongs to the person, and work per joule counts.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    })
    return { runtime, session }
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
    const file = path.split(/[\\/]/).at(-1) ?? path
    throw new Failure(
      'model-refused',
      `${file} cannot be run: ${reason.replaceAll(path, file).slice(0, 300)}`,
      'The file is damaged or uses operators that Lode does not have. Get the model again, or choose another one.',
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

/** Everything that decides how a model is loaded. */
export function cacheKey({ card, folder }: ModelLocation, threads: number): string {
  return JSON.stringify([modelHash(card), card.context, card.macFormula, folder, threads])
}

export interface ModelCache<T> {
  /** Runs `work` with the loaded model; loads it first when it is not at hand. It is not disposed while in use. */
  use<R>(key: string, load: () => Promise<T>, work: (loaded: T) => Promise<R>): Promise<R>
}

/** Keeps the `limit` models used last; a load that fails is not kept. */
export function createModelCache<T>(limit: number, dispose: (loaded: T) => Promise<void>): ModelCache<T> {
  interface Entry {
    loaded: Promise<T>
    users: number
  }
  const entries = new Map<string, Entry>()

  const shrink = async (): Promise<void> => {
    for (const [key, entry] of entries) {
      if (entries.size <= limit) return
      if (entry.users > 0) continue
      entries.delete(key)
      await dispose(await entry.loaded)
    }
  }
  return {
    use: async (key, load, work) => {
      const entry = entries.get(key) ?? { loaded: load(), users: 0 }
      entry.users++
      entries.delete(key)
      entries.set(key, entry) // newest last
      try {
        return await work(await entry.loaded)
      } finally {
        entry.users--
        const failed = await entry.loaded.then(
          () => false,
          () => true,
        )
        if (failed && entries.get(key) === entry) entries.delete(key)
        await shrink()
      }
    },
  }
}
