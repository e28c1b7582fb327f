/** Whether the native backend works on this machine's processor. */
import type { ProcessHost } from '#process/host'
import type { Log } from '../base'
import { probeBackend, type BackendFinding } from '../workers'

export interface NativeProbe {
  /** Whether the backend gave the right digests; looks at the first call. Never rejects. */
  works(): Promise<boolean>
  /** Ends a look that is under way: it finds nothing. */
  stop(): Promise<void>
}

const NATIVE: BackendFinding = {
  backend: 'native',
  name: 'the native backend',
  instead: 'onnxruntime computes instead',
  timeoutMilliseconds: 20_000,
}

/** What speaks against the backend is logged once. */
export function createNativeProbe(parts: { host: ProcessHost; log: Log }): NativeProbe {
  let found: Promise<boolean> | null = null
  const stopping = new AbortController()
  return {
    works: () => {
      found ??= stopping.signal.aborted
        ? Promise.resolve(false)
        : probeBackend(parts, stopping.signal, NATIVE).then((rate) => rate !== null)
      return found
    },
    stop: async () => {
      stopping.abort()
      await found
    },
  }
}
