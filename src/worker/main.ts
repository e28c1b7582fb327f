/**
 * The worker program: one process for one device, or the verifier. Its compute threads and the thread of its appraisals
 * start from this same file and serve the main thread only.
 */
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { z } from 'zod'
import { Failure } from '#shared/domain/errors'
import type { WorkerStart } from '#shared/ipc/worker'
import { connectParent, startArgument } from '#process/parent'
import { createAppraisalThread, isAppraisalThread, serveAppraisals } from './appraisal/thread'
import { libraryMismatch } from './drivers/library-file'
import { serveMethods } from './methods'
import { modelCache } from './inference/model-cache'
import { serveComputeThread } from './proof/compute-thread'
import { createPoolBackend } from './proof/backend'
import { createContexts } from './proof/contexts'
import { createComputeThreadPool } from './proof/compute-thread-pool'
import { loadNativeAddon, type NativeAddon } from './proof/native-addon'
import { createNativeBackend, describeDriver } from './proof/native-backend'
import { createProver } from './proof/prover'
import { createProviderBackend } from './proof/providers/provider-backend'
import { openAdapter } from './proof/webgpu/adapter'
import { createWebgpuBackend } from './proof/webgpu/webgpu-backend'

const HEARTBEAT_MILLISECONDS = 1000
/** The verifier yields to everything else on the machine (niceness of Unix; "below normal" on Windows). */
const VERIFIER_NICENESS = 10

/** Beside the built programs, where `npm run build:native` puts it. */
const NATIVE_ADDON = fileURLToPath(new URL('../native/lode_native.node', import.meta.url))

const workerStart: z.ZodType<WorkerStart> = z.object({
  role: z.enum(['worker', 'verifier']),
  deviceId: z.string().min(1),
  threads: z.number().int().min(1).max(1024),
  driver: z
    .object({ library: z.string().min(1), id: z.string().min(1), memoryLimitBytes: z.number().int().nonnegative() })
    .optional(),
  gpu: z
    .object({
      name: z.string(),
      index: z.number().int().nonnegative().optional(),
      vendor: z.string().optional(),
      others: z.array(z.object({ name: z.string(), vendor: z.string() })).optional(),
      twin: z.enum(['first', 'later']).optional(),
      matrixUnits: z.boolean().optional(),
    })
    .optional(),
  modelMemoryBytes: z.number().int().positive().optional(),
})

if (isMainThread) await startWorker()
else if (isAppraisalThread()) serveAppraisals()
else serveComputeThread()

async function startWorker(): Promise<void> {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.once(event, endAfterBug)
  const start = workerStart.parse(startArgument())
  // Before the compute threads start: on Linux a thread inherits the niceness of the thread that started it.
  if (start.role === 'verifier') setPriority(VERIFIER_NICENESS)
  const port = await connectParent()
  modelCache.setLimit(start.modelMemoryBytes ?? Infinity)
  const pool = createComputeThreadPool(new URL(import.meta.url), start.threads)
  const contexts = createContexts(pool)
  const addon = (): NativeAddon => loadNativeAddon(NATIVE_ADDON)
  const native = createNativeBackend(addon, start.threads, null, start.driver)
  const prover = createProver(
    {
      native,
      webgpu: createWebgpuBackend(() => openAdapter(start.gpu)),
      'onnx-cuda': createProviderBackend('onnx-cuda', start.gpu),
      'onnx-directml': createProviderBackend('onnx-directml', start.gpu),
      'onnx-coreml': createProviderBackend('onnx-coreml', start.gpu),
      'onnx-webgpu': createProviderBackend('onnx-webgpu', start.gpu),
      'onnx-cpu': createPoolBackend('onnx-cpu', pool, contexts),
      reference: createPoolBackend('reference', pool, contexts),
    },
    () => performance.now(),
  )
  // A thread that is stopped inside a kernel aborts the process with a message. Nothing here needs an orderly end, so the process kills itself.
  process.on('exit', () => {
    if (prover.busy) process.kill(process.pid, 'SIGKILL')
  })
  const notifier = serveMethods(
    port,
    prover,
    start.threads,
    {
      describe: async (library) => {
        const mismatch = await libraryMismatch(library)
        if (mismatch !== null) throw new Failure('invalid-input', mismatch)
        return describeDriver(addon(), library)
      },
      check: async ({ library, check, seconds }) => {
        const { runCheck } = await import('./drivers/checks')
        return runCheck(check, { addon: addon(), library, seconds })
      },
      sensors: () => native.sensors(),
      powerLimit: () => native.powerLimit(),
      setPowerLimit: (watts) => native.setPowerLimit(watts),
    },
    createAppraisalThread(new URL(import.meta.url)),
  )
  setInterval(() => {
    const { user, system } = process.cpuUsage()
    const residentBytes = process.memoryUsage.rss()
    modelCache.evictIdle()
    notifier.notify('heartbeat', {
      at: Date.now(),
      residentBytes,
      cpuSeconds: (user + system) / 1e6,
      models: modelCache.loaded(),
    })
  }, HEARTBEAT_MILLISECONDS)
}

function endAfterBug(error: unknown): void {
  console.error('lode worker:', error)
  process.exit(1)
}
