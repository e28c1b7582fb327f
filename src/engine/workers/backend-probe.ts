/**
 * Whether a backend works on this machine: a worker process of its own computes known digests and is thrown away, so
 * that a library or a graphics driver that cannot be loaded, crashes, hangs or computes wrongly does no harm.
 */
import { BENCHMARK_EPOCH } from '#shared/domain/benchmark'
import type { TierName } from '#shared/domain/tiers'
import type { GpuAdapter, WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/ipc/worker'
import type { BackendName } from '#shared/domain/backend'
import { createPeer } from '#process/peer'
import type { RigContext } from '../base'

/** Enough to check the digests; the rate over this time is not used. */
const DIGEST_SECONDS = 0.01
/** If a batch of the smallest tier takes this long, its rate is good enough. */
const SLOW_MILLISECONDS = 300
/** Rates are measured on this tier: the smallest one is over before a graphics processor is busy. */
const RATE_TIER: TierName = 'itp1-small'
const RATE_SECONDS = 0.5

export interface BackendFinding {
  backend: BackendName
  gpu?: GpuAdapter
  /** the backend's name in a sentence */
  name: string
  /** what happens without it */
  instead: string
  timeoutMilliseconds: number
  /** whether its rate is asked for as well */
  rated?: boolean
}

/**
 * The rate of the backend in MAC/s, once it gave the right digests; 0 if the rate was not requested or did not come in time.
 * Null: the backend does not work here, or `stopping` ended the probe; the reason is logged. Never rejects.
 */
export async function probeBackend(
  { host, log }: Pick<RigContext, 'host' | 'log'>,
  stopping: AbortSignal,
  look: BackendFinding,
): Promise<number | null> {
  const start: WorkerStart = { role: 'worker', deviceId: 'probe', threads: 1, ...(look.gpu ? { gpu: look.gpu } : {}) }
  try {
    const child = await host.start('worker', start)
    const kill = (): void => child.kill()
    stopping.addEventListener('abort', kill)
    if (stopping.aborted) kill()
    try {
      const worker = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker')
      const benchmark = async (
        tier: TierName,
        seconds: number,
      ): Promise<WorkerMethods['proof.benchmark']['result']> => {
        const measured = await worker.request(
          'proof.benchmark',
          { tier, backend: look.backend, epochSeed: BENCHMARK_EPOCH, seconds },
          { timeoutMilliseconds: look.timeoutMilliseconds },
        )
        if (measured.checksum !== 'ok') throw new WrongDigests()
        return measured
      }
      const digests = await benchmark('itp1-test', DIGEST_SECONDS)
      if (look.rated !== true) return 0
      if (digests.milliseconds > SLOW_MILLISECONDS) return stopping.aborted ? null : digests.macsPerSecond
      const rate = await benchmark(RATE_TIER, RATE_SECONDS).catch((error: unknown) => {
        if (error instanceof WrongDigests) throw error
        log.warn(`the rate of ${look.name} could not be measured`, { reason: String(error) })
        return null
      })
      return stopping.aborted ? null : (rate?.macsPerSecond ?? 0)
    } finally {
      stopping.removeEventListener('abort', kill)
      child.kill()
      await child.exited
    }
  } catch (error) {
    if (stopping.aborted) return null
    if (error instanceof WrongDigests) {
      log.error(`${look.name} computes wrong digests on this machine; it is not used`, {})
    } else log.warn(`${look.name} is not used; ${look.instead}`, { reason: String(error) })
    return null
  }
}

class WrongDigests extends Error {}
