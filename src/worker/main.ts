/**
 * The worker program: one process for one device, or the verifier. Its threads (lanes) start from this same file and
 * serve the main thread only.
 */
import { setPriority } from 'node:os'
import { isMainThread } from 'node:worker_threads'
import { z } from 'zod'
import type { WorkerStart } from '#shared/domain/worker-protocol'
import { connectParent, startArgument } from '#process/parent'
import { serveMethods } from './methods'
import { serveLane } from './proof/lane'
import { createLanePool } from './proof/lane-pool'
import { createProver } from './proof/prover'

const HEARTBEAT_MILLISECONDS = 1000
/** The verifier yields to everything else on the machine (niceness of Unix; "below normal" on Windows). */
const VERIFIER_NICENESS = 10

const workerStart: z.ZodType<WorkerStart> = z.object({
  role: z.enum(['worker', 'verifier']),
  deviceId: z.string().min(1),
  threads: z.number().int().min(1).max(1024),
})

if (isMainThread) await startWorker()
else serveLane()

async function startWorker(): Promise<void> {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.once(event, endAfterBug)
  const start = workerStart.parse(startArgument())
  // before the lanes start: on Linux a thread inherits the niceness of the one that made it
  if (start.role === 'verifier') setPriority(VERIFIER_NICENESS)
  const port = await connectParent()
  const lanes = createLanePool(new URL(import.meta.url), start.threads)
  // a lane stopped inside a kernel aborts the process with a message; nothing here needs an orderly end
  process.on('exit', () => {
    if (lanes.busy) process.kill(process.pid, 'SIGKILL')
  })
  const notifier = serveMethods(
    port,
    createProver(lanes, () => performance.now()),
    start.threads,
  )
  setInterval(() => {
    const { user, system } = process.cpuUsage()
    const residentBytes = process.memoryUsage.rss()
    notifier.notify('heartbeat', { at: Date.now(), residentBytes, cpuSeconds: (user + system) / 1e6 })
  }, HEARTBEAT_MILLISECONDS)
}

function endAfterBug(error: unknown): void {
  console.error('lode worker:', error)
  process.exit(1)
}
