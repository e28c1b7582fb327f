/** Recomputes digests with another backend than the one under test, in a worker process that is thrown away. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/ipc/worker'
import type { ProcessHost } from '#process/host'
import { createPeer, type Peer } from '#process/peer'

type Asked = WorkerMethods['proof.digests']['params']

export interface Recomputing {
  /** Computes digests with the backend that is asked for. */
  digests(asked: Asked): Promise<WorkerMethods['proof.digests']['result']>
}

/** Calls `work` with a worker on the processor. The worker ends after `work`, or when the signal aborts; then this rejects with Failure `cancelled`. */
export async function recompute<T>(
  options: { host: ProcessHost; threads: number; signal?: AbortSignal },
  work: (recomputing: Recomputing) => Promise<T>,
): Promise<T> {
  const { signal } = options
  const isCancelled = (): boolean => signal?.aborted ?? false
  const cancelled = (): Failure => new Failure('cancelled', message('check-cancelled'))
  if (isCancelled()) throw cancelled()
  const start: WorkerStart = { role: 'worker', deviceId: 'check', threads: options.threads }
  const child = await options.host.start('worker', start)
  const kill = (): void => child.kill()
  signal?.addEventListener('abort', kill)
  if (isCancelled()) kill()
  try {
    const peer: Peer<WorkerMethods, WorkerNotifications> = createPeer(child.port, 'worker')
    return await work({ digests: (asked) => peer.request('proof.digests', asked) })
  } catch (error) {
    throw isCancelled() ? cancelled() : error
  } finally {
    signal?.removeEventListener('abort', kill)
    child.kill()
    await child.exited
  }
}
