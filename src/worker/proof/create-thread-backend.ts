/** Which program computes a backend of a compute thread, loaded when it is asked for. */
import type { Tier } from '#shared/domain/tiers'
import type { ThreadBackend, ThreadBackendName } from './thread-backend'

/** Creates a backend for one tier in the calling thread. */
export async function createThreadBackend(name: ThreadBackendName, tier: Tier): Promise<ThreadBackend> {
  switch (name) {
    case 'reference':
      return (await import('./reference-backend')).createReferenceBackend(tier)
    case 'onnx-cpu':
      return (await import('./onnx-cpu-backend')).createOnnxCpuBackend(tier)
  }
}
