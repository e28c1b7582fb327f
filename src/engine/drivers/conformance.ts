/** The conformance kit (src/worker/drivers) over one library: each check runs in a process that the library may crash or hang. */
import {
  driverChecks,
  type DriverCheckResult,
  type DriverCheckId,
  type DriverReport,
} from '#shared/domain/driver-checks'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/ipc/worker'
import type { ManagedProcess, ProcessHost } from '#process/host'
import { createPeer, PeerUnavailable, type Peer } from '#process/peer'

/** Length of the determinism check, which repeats nonces, as the documentation of the interface says. */
export const DETERMINISM_SECONDS = 60
/** A check that takes longer is taken to hang. Slow devices need seconds for a nonce of the largest tier. */
export const CHECK_MILLISECONDS = 120_000

export interface ConformanceOptions {
  host: ProcessHost
  library: string
  /** length of the determinism check, which repeats nonces; absent: DETERMINISM_SECONDS */
  seconds?: number
  limitMilliseconds?: number
  onResult?: (result: DriverCheckResult) => void
  /** ends the check under way; `checkConformance` then rejects with Failure `cancelled` */
  signal?: AbortSignal
}

/** Runs every check. Ends after a failed first check (library, describe or open), since the others need it. */
export async function checkConformance(options: ConformanceOptions): Promise<DriverReport> {
  const seconds = options.seconds ?? DETERMINISM_SECONDS
  const kit = createKit(options, seconds)
  const stop = (): void => void kit.end()
  options.signal?.addEventListener('abort', stop)
  const checks: DriverCheckResult[] = []
  let macsPerSecond: number | null = null
  try {
    for (const id of driverChecks) {
      const outcome = await kit.check(id)
      options.signal?.throwIfAborted()
      macsPerSecond = outcome.macsPerSecond ?? macsPerSecond
      const result = { id, ok: outcome.ok, detail: outcome.detail }
      checks.push(result)
      options.onResult?.(result)
      // A library that cannot be loaded, described or opened cannot be checked further.
      if (!result.ok && ['library', 'describe', 'open'].includes(id)) break
    }
  } catch (error) {
    if (options.signal?.aborted === true) throw new Failure('cancelled', message('check-cancelled'))
    throw error
  } finally {
    options.signal?.removeEventListener('abort', stop)
    await kit.end()
  }
  return { ok: checks.every(({ ok }) => ok), checks, macsPerSecond }
}

interface Kit {
  check(id: DriverCheckId): Promise<WorkerMethods['driver.check']['result']>
  end(): Promise<void>
}

/** Runs all checks in one process; starts a new process after a check that crashed or hung. */
function createKit(
  { host, library, limitMilliseconds = CHECK_MILLISECONDS }: ConformanceOptions,
  seconds: number,
): Kit {
  let running: { process: ManagedProcess; peer: Peer<WorkerMethods, WorkerNotifications> } | null = null
  const end = async (): Promise<void> => {
    running?.process.kill()
    await running?.process.exited
    running = null
  }
  return {
    end,
    check: async (id) => {
      if (running === null) {
        const start: WorkerStart = { role: 'worker', deviceId: 'check', threads: 1 }
        const process = await host.start('worker', start)
        running = { process, peer: createPeer<WorkerMethods, WorkerNotifications>(process.port, 'driver') }
      }
      const { process, peer } = running
      const timeoutMilliseconds = limitMilliseconds + (id === 'determinism' ? seconds * 1000 : 0)
      try {
        return await peer.request('driver.check', { library, check: id, seconds }, { timeoutMilliseconds })
      } catch (error) {
        if (!(error instanceof PeerUnavailable)) throw error
        const ended = await Promise.race([process.exited, new Promise<null>((settle) => setTimeout(settle, 200, null))])
        await end()
        const detail =
          ended === null
            ? `it hangs: no answer in ${timeoutMilliseconds / 1000} s`
            : `it crashed the process that loaded it (${ended.signal ?? `exit code ${ended.code}`})`
        return { ok: false, detail }
      }
    },
  }
}
