/** Whether the native backend works on this machine's processor. */
import type { RigContext } from '../base'
import { probeBackend, type BackendFinding } from '../workers'

export interface NativeProbe {
  /** Whether the backend gave the right digests; the first call starts the probe. Never rejects. */
  works(): Promise<boolean>
  /** Ends a probe that is under way: its answer is then false. */
  stop(): Promise<void>
}

const NATIVE: BackendFinding = {
  backend: 'native',
  name: 'the native backend',
  instead: 'onnxruntime computes instead',
  timeoutMilliseconds: 20_000,
}

/** Logs once why the native backend is not used. */
export function createNativeProbe(rig: Pick<RigContext, 'host' | 'log'>): NativeProbe {
  let found: Promise<boolean> | null = null
  const stopping = new AbortController()
  return {
    works: () => {
      found ??= stopping.signal.aborted
        ? Promise.resolve(false)
        : probeBackend(rig, stopping.signal, NATIVE).then((rate) => rate !== null)
      return found
    },
    stop: async () => {
      stopping.abort()
      await found
    },
  }
}
