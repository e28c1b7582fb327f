/**
 * The verifier process: recomputes shares, appraises results, draws synthetic jobs and tries models. It runs at low priority and apart from
 * mining, so that neither mining nor a screen waits for it.
 */
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { JobInput, JobKind } from '#shared/domain/job'
import type { TierName } from '#shared/domain/tiers'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { WorkerMethods } from '#shared/ipc/worker'
import type { BackendName } from '#shared/domain/backend'
import type { RigContext } from '../base'
import { PeerUnavailable } from '#process/peer'
import { startWorker, type WorkerClient } from './worker-client'

export interface VerifierClient {
  /** Mining begins: the process is started and its backend checked before the first share comes. */
  warmUp(): void
  /** Recomputes one nonce. Waits for the process when it is being restarted. */
  digest(share: { tier: TierName; epochSeed: string; publicKey: string; nonce: bigint }): Promise<string>
  /** Expands an epoch's weights ahead of the first share. */
  prepare(context: { tier: TierName; epochSeed: string }): Promise<void>
  /** Draws a synthetic job of a kind, with its known answer where there is one. */
  generate(kind: JobKind, seed: string): Promise<{ input: JobInput; knownText?: string[] }>
  /**
   * Derives the sizes of a result: see `job.appraise`. One at a time, so that a result that ends the process every time it is
   * tried is known by that, and is `unappraisable`. Rejects with a Failure where the process cannot be asked, or the model's
   * files are at fault.
   */
  appraise(claim: WorkerMethods['job.appraise']['params']): Promise<WorkerMethods['job.appraise']['result']>
  /** Runs an installed model once; answers with what the run showed of it. */
  probe(model: InstalledModel): Promise<WorkerMethods['model.probe']['result']>
  stop(): Promise<void>
}

/** How long after a start the reference recomputes a nonce of the small tier. */
const SLOW_CHECK_MILLISECONDS = 15_000

/** Tries of one request before it fails; the process is started again between two tries. */
const ATTEMPTS = 3

/** The client of the verifier. The process is started with the first request, or by `warmUp`. */
export function startVerifier(
  rig: Pick<RigContext, 'host' | 'clock' | 'randomFraction' | 'log'>,
  /** `nativeWorks`: whether the native backend may be tried; never rejects */
  options: { nativeWorks: () => Promise<boolean> },
): VerifierClient {
  const { clock, log } = rig
  let backend: Promise<BackendName> | null = null
  let worker: WorkerClient | null = null
  let stopped = false
  /** Starts the process when it is first needed: most commands never need it, and a window opens sooner without it. */
  const running = (): WorkerClient => {
    if (stopped) throw new Failure('cancelled', message('verifier-stopped'))
    worker ??= startWorker(rig, {
      name: 'verifier',
      start: { role: 'verifier', deviceId: 'verifier', threads: 1 },
      onState: () => undefined,
    })
    return worker
  }

  const ask = async <M extends keyof WorkerMethods>(
    method: M,
    params: WorkerMethods[M]['params'],
  ): Promise<WorkerMethods[M]['result']> => {
    for (let attempt = 1; ; attempt++) {
      await running().ready()
      try {
        return await running().request(method, params)
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'unavailable' || attempt >= ATTEMPTS) throw error
      }
    }
  }

  /** Whether the fast backend gives the digest of the plain reference, which follows the specification step by step. */
  const agrees = async (fastBackend: BackendName, tier: TierName): Promise<boolean> => {
    const share = { tier, epochSeed: BENCHMARK_EPOCH, publicKey: BENCHMARK_PUBLIC_KEY, nonce: 1n }
    const fast = await ask('proof.digest', { ...share, backend: fastBackend })
    const plain = await ask('proof.digest', { ...share, backend: 'reference' })
    if (fast.digest === plain.digest) return true
    log.error('a backend disagrees with the reference; it does not verify', { backend: fastBackend, tier })
    return false
  }

  let lastAppraisal: Promise<unknown> = Promise.resolve()
  const appraise: VerifierClient['appraise'] = async (claim) => {
    for (let ends = 0; ends < ATTEMPTS; ends++) {
      await running().ready()
      try {
        return await running().request('job.appraise', claim)
      } catch (error) {
        if (!(error instanceof PeerUnavailable)) throw error
        log.warn('the verifier ended while it appraised a result', { reason: error.message })
      }
    }
    return { state: 'unappraisable', message: `The process that checks results ended ${ATTEMPTS} times on it.` }
  }

  let slowCheck: { cancel(): void } | null = null
  /** The smallest tier decides at once; a nonce of the next follows when the first shares are through, since it takes a while. */
  const chooseBackend = async (): Promise<BackendName> => {
    const fastest: BackendName[] = (await options.nativeWorks()) ? ['native', 'onnx-cpu'] : ['onnx-cpu']
    for (const fast of fastest) {
      if (!(await agrees(fast, 'itp1-test'))) continue
      slowCheck = clock.setTimeout(() => checkSmallTier(fast), SLOW_CHECK_MILLISECONDS)
      return fast
    }
    return 'reference'
  }
  const checkSmallTier = (fast: BackendName): void => {
    agrees(fast, 'itp1-small').then(
      (same) => {
        if (!same) backend = Promise.resolve('reference')
      },
      (error: unknown) => {
        const cancelled = error instanceof Failure && error.code === 'cancelled'
        if (!cancelled) log.warn('the check of the small tier did not end', { error: String(error) })
      },
    )
  }
  const trustedBackend = (): Promise<BackendName> => {
    backend ??= chooseBackend().catch((error: unknown) => {
      backend = null
      throw error
    })
    return backend
  }
  return {
    // A failure is reported by the first share that is to be verified.
    warmUp: () => void trustedBackend().catch(() => undefined),
    digest: async (share) => (await ask('proof.digest', { ...share, backend: await trustedBackend() })).digest,
    prepare: async (context) => {
      await ask('proof.prepare', { ...context, backend: await trustedBackend() })
    },
    generate: (kind, seed) => ask('sample.generate', { kind, seed }),
    appraise: (claim) => {
      const own = lastAppraisal.then(() => appraise(claim))
      lastAppraisal = own.catch(() => undefined)
      return own
    },
    probe: (model) => ask('model.probe', model),
    stop: () => {
      stopped = true
      slowCheck?.cancel()
      return worker?.stop() ?? Promise.resolve()
    },
  }
}
