import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import {
  driverChecks,
  type DriverCheckId,
  type DriverCheckResult,
  type DriverReport,
} from '#shared/domain/driver-checks'
import { Failure } from '#shared/domain/errors'
import { formatRate, toText } from '#shared/domain/format'
import type { WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/domain/worker-protocol'
import type { ManagedProcess } from '#process/host'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer, Unanswered, type Peer } from '#process/peer'
import type { CommandContext } from '../lode'
import { EXIT_DONE, EXIT_FAILED } from '../output'
import { programFolder } from '../paths'

/** Of the run that repeats nonces, as the interface's documentation says. */
const DETERMINISM_SECONDS = 60
/** A check that takes longer hangs. Slow devices need seconds for a nonce of the largest tier. */
const CHECK_MILLISECONDS = 120_000

/** `lode drivers check PATH`: the conformance kit, in processes of its own; needs neither engine nor approval. */
export async function driversCheck(
  { output }: CommandContext,
  options: { seconds?: number; timeLimit?: number },
  path: string,
): Promise<number> {
  const library = await libraryOf(resolve(path))
  const seconds = options.seconds ?? DETERMINISM_SECONDS
  const kit = createKit(library, seconds, (options.timeLimit ?? CHECK_MILLISECONDS / 1000) * 1000)
  const checks: DriverCheckResult[] = []
  let macsPerSecond: number | null = null
  try {
    for (const id of driverChecks) {
      const outcome = await kit.check(id)
      macsPerSecond = outcome.macsPerSecond ?? macsPerSecond
      const result = { id, ok: outcome.ok, detail: outcome.detail }
      checks.push(result)
      if (!output.json) output.say(`${result.ok ? 'ok    ' : 'FAILED'} ${id}: ${result.detail}`)
      // What cannot be loaded, described or opened has nothing else to be checked.
      if (!result.ok && ['library', 'describe', 'open'].includes(id)) break
    }
  } finally {
    await kit.end()
  }
  const failures = checks.filter((check) => !check.ok).length
  const report: DriverReport = { ok: failures === 0, checks, macsPerSecond }
  const speed = macsPerSecond === null ? '' : ` ${toText(formatRate(macsPerSecond))}.`
  output.answer(
    report,
    report.ok
      ? `Lode can use this driver: all ${checks.length} checks passed.${speed}`
      : `Lode cannot use this driver: ${failures} of ${checks.length} checks failed.`,
  )
  return report.ok ? EXIT_DONE : EXIT_FAILED
}

const manifest = z.object({ file: z.string().regex(/^[\w.@+-]+$/) })

/** The library itself, or the one that a folder's driver.json names. */
async function libraryOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw new Failure('not-found', `there is nothing at ${path}`, 'Give a driver or its folder.')
  if (found.isFile()) return path
  const text = await readFile(join(path, 'driver.json'), 'utf8').catch(() => null)
  if (text === null)
    throw new Failure('not-found', `${path} has no driver.json`, 'Give the library itself, or write its manifest.')
  try {
    return join(path, manifest.parse(JSON.parse(text)).file)
  } catch {
    throw new Failure('invalid-input', 'driver.json names no file', 'Write it as docs/drivers.md says.')
  }
}

interface Kit {
  check(id: DriverCheckId): Promise<WorkerMethods['driver.check']['result']>
  end(): Promise<void>
}

/** One process for all checks; a new one after each that it did not survive. */
function createKit(library: string, seconds: number, limitMilliseconds: number): Kit {
  const host = createNodeProcessHost(programFolder)
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
      const timeoutMilliseconds = limitMilliseconds + (id === 'determinism' ? seconds * 1000 : 0)
      try {
        return await running.peer.request('driver.check', { library, check: id, seconds }, { timeoutMilliseconds })
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error
        const { process } = running
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
