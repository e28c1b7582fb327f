/** Answers every method of WorkerMethods, and parses parameters where they arrive. */
import { z } from 'zod'
import { hex64 } from '#shared/domain/bytes'
import { describeParseError, Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { driverChecks } from '#shared/domain/driver-checks'
import { jobEvidence, jobKind, jobOutput } from '#shared/domain/job'
import { MAX_COUNTER } from '#shared/domain/share'
import { tierName } from '#shared/domain/tiers'
import { installedModel, modelConversion } from '#shared/domain/model-stages'
import { type WorkerMethods, type WorkerNotifications } from '#shared/ipc/worker'
import { backendNames } from '#shared/domain/backend'
import { serve, type MethodHandlers } from '#process/peer'
import type { Port } from '#process/port'
import type { NativeDriver } from '#shared/domain/driver'
import type { AppraisalThread } from './appraisal/thread'
import type { NativeBackend } from './proof/native-backend'
import type { Prover } from './proof/prover'

/** What the driver methods call: the device of this process, and any library to describe or check. */
export interface DriverMethods extends Pick<NativeBackend, 'sensors' | 'powerLimit' | 'setPowerLimit'> {
  describe(library: string): Promise<NativeDriver>
  check(params: WorkerMethods['driver.check']['params']): Promise<WorkerMethods['driver.check']['result']>
}

const threads = z.number().int().min(1).max(1024)
const context = z.object({ tier: tierName, epochSeed: hex64, backend: z.enum(backendNames) })
const keyed = context.extend({ publicKey: hex64 })
const nonce = z
  .bigint()
  .min(0n)
  .max((1n << 64n) - 1n)
const jobId = z.string().min(1)

const schemas = {
  'proof.prepare': context,
  'proof.run': keyed.extend({
    unit: z.number().int().min(0).max(0xffff_ffff),
    firstCounter: z.bigint().min(0n).max(MAX_COUNTER),
    difficulty: z.bigint().min(1n),
    budgetMilliseconds: z.number().nonnegative(),
    maxNonces: z.number().int().min(1).optional(),
    stopAtShare: z.boolean().optional(),
    keepPipelineFull: z.boolean().optional(),
  }),
  'proof.yield': z.null(),
  'proof.digest': keyed.extend({
    nonce,
  }),
  'proof.digests': keyed.extend({
    firstNonce: nonce,
    budgetMilliseconds: z.number().nonnegative(),
    maxNonces: z.number().int().min(1).optional(),
    keep: z.number().int().nonnegative(),
  }),
  'proof.check': keyed.extend({
    firstNonce: nonce,
    expected: z.array(hex64).min(1).max(100_000),
    budgetMilliseconds: z.number().nonnegative(),
  }),
  'proof.benchmark': context.extend({ seconds: z.number().positive().max(3600) }),
  'job.run': z.object({ jobId, input: z.string(), model: installedModel }),
  'job.cancel': z.object({ jobId }),
  'job.appraise': z.object({ input: z.string(), model: installedModel, output: jobOutput, evidence: jobEvidence }),
  'model.probe': installedModel,
  'model.convert': modelConversion,
  'sample.generate': z.object({ kind: jobKind, seed: z.string().min(1) }),
  'driver.describe': z.object({ library: z.string().min(1) }),
  'driver.check': z.object({
    library: z.string().min(1),
    check: z.enum(driverChecks),
    seconds: z.number().positive().max(86_400),
  }),
  'driver.sensors': z.null(),
  'driver.powerLimit': z.null(),
  'driver.setPowerLimit': z.object({ watts: z.number().positive().max(100_000) }),
  configure: z.object({ threads }),
} satisfies Record<keyof WorkerMethods, z.ZodType>

/** Serves the methods on `port` and returns the notifier. Models are loaded when they are first asked for. */
export function serveMethods(
  port: Port,
  prover: Prover,
  initialThreads: number,
  driver: DriverMethods,
  appraisals: AppraisalThread,
): ReturnType<typeof serve<WorkerMethods, WorkerNotifications>> {
  const running = new Map<string, AbortController>()
  let threadCount = initialThreads
  const computed = collectRuns((macs) => notifier.notify('jobs.computed', { macs }))

  const handlers: MethodHandlers<WorkerMethods> = {
    'proof.prepare': (params) => prover.prepare(params),
    'proof.run': (params) => prover.run(params),
    'proof.yield': async () => {
      prover.yield()
      return null
    },
    'proof.digest': (params) => prover.digest(params),
    'proof.digests': (params) => prover.digests(params),
    'proof.check': (params) => prover.check(params),
    'proof.benchmark': (params) => prover.benchmark(params),
    'job.run': async (params) => {
      const id = params.jobId
      if (running.has(id)) throw new Failure('conflict', message('job-runs-already', { job: id }))
      const controller = new AbortController()
      running.set(id, controller)
      prover.cancelInFlight()
      try {
        const { runJob } = await import('./inference/index')
        return await runJob(
          { ...params, input: parseJson(params.input) },
          {
            threads: threadCount,
            signal: controller.signal,
            onToken: (text, index) => notifier.notify('job.token', { jobId: id, text, index }),
            onComputed: (macs) => {
              if (running.size > 1) computed.add(id, macs)
            },
          },
        )
      } finally {
        running.delete(id)
      }
    },
    'job.cancel': (params) => {
      running.get(params.jobId)?.abort()
      return Promise.resolve(null)
    },
    'job.appraise': (params) => appraisals.appraise(params),
    'model.probe': async (params) => {
      const { probeModel } = await import('./inference/index')
      return probeModel(params, { threads: threadCount })
    },
    'model.convert': async (params) => {
      const { convertModel } = await import('./convert/index')
      return convertModel(params)
    },
    'sample.generate': async (params) => {
      const { generateSample } = await import('./samples/index')
      return generateSample(params)
    },
    'driver.describe': async ({ library }) => driver.describe(library),
    'driver.check': (params) => driver.check(params),
    'driver.sensors': async () => driver.sensors(),
    'driver.powerLimit': async () => driver.powerLimit(),
    'driver.setPowerLimit': async ({ watts }) => {
      driver.setPowerLimit(watts)
      return driver.powerLimit()
    },
    configure: (params) => {
      threadCount = params.threads
      prover.setThreads(params.threads)
      return Promise.resolve(null)
    },
  }
  const notifier = serve<WorkerMethods, WorkerNotifications>(port, parsing(handlers))
  return notifier
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Failure('invalid-input', message('job-input-not-json'))
  }
}

/** Collects what one run of a graph computed for several jobs, and reports it in one notification. */
function collectRuns(report: (macs: WorkerNotifications['jobs.computed']['macs']) => void): {
  add(jobId: string, macs: number): void
} {
  let pending: WorkerNotifications['jobs.computed']['macs'] = []
  return {
    add: (jobId, macs) => {
      if (pending.push({ jobId, macs }) > 1) return
      queueMicrotask(() => {
        const run = pending
        pending = []
        report(run)
      })
    },
  }
}

/** The same handlers behind their schemas: parameters that do not parse give a Failure `wrong-usage` that names the field. */
function parsing(handlers: MethodHandlers<WorkerMethods>): MethodHandlers<WorkerMethods> {
  const guard = <M extends keyof WorkerMethods>(method: M): MethodHandlers<WorkerMethods>[M] => {
    const guarded = (params: unknown): Promise<WorkerMethods[M]['result']> => {
      const parsed = schemas[method].safeParse(params)
      if (!parsed.success) {
        return Promise.reject(
          new Failure('wrong-usage', message('request-wrong', { method, fault: describeParseError(parsed.error) })),
        )
      }
      const handler = handlers[method] as (params: unknown) => Promise<WorkerMethods[M]['result']>
      return handler(parsed.data)
    }
    return guarded as MethodHandlers<WorkerMethods>[M]
  }
  return Object.fromEntries(
    Object.keys(handlers).map((method) => [method, guard(method as keyof WorkerMethods)]),
  ) as unknown as MethodHandlers<WorkerMethods>
}
