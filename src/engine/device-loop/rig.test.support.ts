/** A rig for tests: real ledger, signatures and coordinator; clock, worker process and the network's far end are scripted. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 } from 'uuid'
import type { ModelManifest } from '#shared/domain/manifest'
import { BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { Failure } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import { goldenDigests } from '#shared/domain/golden'
import { EncodedInput } from '#shared/domain/encoded-input'
import type { JobInput, JobRun } from '#shared/domain/job'
import { installedModelOf, type InstalledModel } from '#shared/domain/model-stages'
import { buyerProtocol } from '#shared/protocol/buyer-session'
import type { Receipt } from '#shared/protocol/receipt'
import type { JobOffer } from '#shared/protocol/job'
import type { Acknowledgement, Answer } from '#shared/protocol/refusal'
import { rigProtocol } from '#shared/protocol/rig-session'
import type { SessionService } from '#shared/protocol/session'
import type { Signed } from '#shared/domain/signed'
import type { Unit } from '#shared/protocol/unit'
import { isShare, nonceOf } from '#shared/domain/share'
import { TIERS } from '#shared/domain/tiers'
import type { WorkerMethods, WorkerNotifications } from '#shared/ipc/worker'
import type { ManagedProcess, ProcessExit, ProcessHost } from '#process/host'
import { serve, type MethodHandlers } from '#process/peer'
import { portPair } from '#process/port'
import type { Clock } from '#process/clock'
import { manualClock } from '#process/clock.test.support'
import {
  createHarness,
  createTestClock,
  hashDigest,
  honestRun,
  MODELS,
} from '../../../test/support/coordinator-harness'
import { openSerialized } from '../../../test/support/sessions'
import { createEngineEvents, type RigContext } from '../base'
import { workEnergy } from '#shared/domain/energy'
import { openLedger } from '../ledger'
import { createSigner, linkNetwork, signatureVerifier } from '../network'
import { createDeviceRunner } from './device-runner'
import type { DeviceLoopContext, DeviceLoopOptions } from './device-types'
import { createJobRates } from '../jobs/job-rates'
import { createSyntheticJobBudget } from '../jobs/synthetic-job-budget'

/** What `far` does something to. */
const REACHED = new Set(['current', 'leaseUnit', 'leaseJob', 'submitShare', 'submitJob', 'delivery'])

/** Of the scripted worker, on every tier. */
export const NONCES_PER_SECOND = 40

/** Worker processes that compute by a hash, at a known rate of the manual clock. */
export function scriptedWorkers(clock: Clock) {
  const script = {
    noncesPerSecond: NONCES_PER_SECOND,
    /** how long a job takes; null: forever */
    jobMilliseconds: 100 as number | null,
    jobFailure: null as Failure | null,
    /** more jobs than these at once run out of memory */
    memoryJobs: Infinity,
    /** the model ids of the jobs that began, and how many ran at most at once */
    begun: [] as string[],
    mostAtOnce: 0,
    startFails: false,
    /** how the proof fails; null: it does not */
    proofFailure: null as Failure | null,
    /** what the device gives for the golden nonces; null: what is right */
    goldenDigest: null as string | null,
    /** a slice of a benchmark never ends */
    benchmarkHangs: false,
    ignoresCancel: false,
    /** says what a run computed for jobs, by their ids; set by the process that runs */
    computed: (_macs: Record<string, number>): void => undefined,
    /** a piece of a running job's text; set by the process that runs */
    token: (_piece: WorkerNotifications['job.token']): void => undefined,
    runs: [] as WorkerMethods['proof.run']['params'][],
    started: 0,
    alive: new Set<{ crash: () => void }>(),
  }
  const later = <T>(milliseconds: number, value: () => T): Promise<T> =>
    new Promise((resolve) => clock.setTimeout(() => resolve(value()), milliseconds))

  const proofRun = (params: WorkerMethods['proof.run']['params']): WorkerMethods['proof.run']['result'] => {
    script.runs.push(params)
    const wanted = Math.max(1, Math.round((script.noncesPerSecond * params.budgetMilliseconds) / 1000))
    const shares: { nonce: bigint; digest: string }[] = []
    let nonces = 0
    while (nonces < wanted && !(params.stopAtShare === true && shares.length > 0)) {
      const nonce = nonceOf(params.unit, params.firstCounter + BigInt(nonces))
      const digest = hashDigest({ ...params, nonce })
      if (isShare(digest, params.difficulty)) shares.push({ nonce, digest })
      nonces++
    }
    const milliseconds = (nonces * 1000) / script.noncesPerSecond
    return { nonces, shares, milliseconds, kernelMilliseconds: milliseconds }
  }

  const host: ProcessHost = {
    start: async () => {
      if (script.startFails) throw new Error('no such program')
      script.started++
      const [engineSide, workerSide] = portPair()
      let isAlive = true
      let exit: (how: ProcessExit) => void = () => undefined
      const exited = new Promise<ProcessExit>((resolve) => {
        exit = resolve
      })
      const end = (how: ProcessExit): void => {
        isAlive = false
        script.alive.delete(entry)
        workerSide.close()
        // As under Node: the channel is gone a moment before the exit is known.
        setImmediate(() => exit(how))
      }
      const entry = { crash: () => end({ code: 1, signal: null }) }
      script.alive.add(entry)
      const cancels = new Map<string, () => void>()
      const ends = new Set<() => void>()
      const unused = (): Promise<never> => Promise.reject(new Failure('wrong-usage', foreignWords('not scripted')))
      const handlers: MethodHandlers<WorkerMethods> = {
        'proof.prepare': () => later(5, () => ({ milliseconds: 5 })),
        'proof.run': (params) => {
          if (script.proofFailure !== null) return Promise.reject(script.proofFailure)
          const began = clock.monotonic()
          return new Promise((resolve) => {
            const end = (): void => {
              ends.delete(end)
              timer.cancel()
              resolve(proofRun({ ...params, budgetMilliseconds: clock.monotonic() - began }))
            }
            const timer = clock.setTimeout(end, params.budgetMilliseconds)
            ends.add(end)
          })
        },
        'proof.yield': async () => {
          for (const end of ends) end()
          return null
        },
        'proof.digest': unused,
        'proof.digests': async (params) => {
          if (script.benchmarkHangs) return new Promise<never>(() => undefined)
          const wanted = Math.ceil((script.noncesPerSecond * params.budgetMilliseconds) / 1000)
          const nonces = Math.max(1, Math.min(wanted, params.maxNonces ?? wanted))
          const milliseconds = (nonces * 1000) / script.noncesPerSecond
          const digestOf = (index: number): string =>
            params.publicKey === BENCHMARK_PUBLIC_KEY
              ? (script.goldenDigest ?? goldenDigests(params.tier)[index] ?? '')
              : hashDigest({ ...params, nonce: params.firstNonce + BigInt(index) })
          const digests = Array.from({ length: Math.min(nonces, params.keep) }, (_, index) => digestOf(index))
          return later(milliseconds, () => ({ digests, nonces, milliseconds, kernelMilliseconds: milliseconds }))
        },
        'proof.check': (params) =>
          later(params.budgetMilliseconds, () => ({
            nonces: Math.round((script.noncesPerSecond * params.budgetMilliseconds) / 1000),
            milliseconds: params.budgetMilliseconds,
            wrong: script.goldenDigest === null ? null : { nonce: 1n, digest: script.goldenDigest },
          })),
        'proof.benchmark': unused,
        'job.run': ({ jobId, input, model }) =>
          new Promise<JobRun>((resolve, reject) => {
            cancels.set(jobId, () => reject(new Failure('cancelled', foreignWords('the job was cancelled'))))
            script.begun.push(model.manifest.id)
            script.mostAtOnce = Math.max(script.mostAtOnce, cancels.size)
            if (script.jobFailure !== null) reject(script.jobFailure)
            else if (cancels.size > script.memoryJobs) {
              reject(
                new Failure(
                  'out-of-memory',
                  foreignWords(`the memory ran out while ${model.manifest.name} computed this job`),
                ),
              )
            } else if (script.jobMilliseconds !== null) {
              const milliseconds = script.jobMilliseconds
              clock.setTimeout(
                () => resolve({ ...honestRun(JSON.parse(input) as JobInput), milliseconds }),
                milliseconds,
              )
            }
          }).finally(() => cancels.delete(jobId)),
        'job.cancel': async ({ jobId }) => {
          if (script.ignoresCancel) return new Promise<never>(() => undefined)
          cancels.get(jobId)?.()
          return null
        },
        'job.appraise': unused,
        'model.probe': unused,
        'model.convert': unused,
        'sample.generate': unused,
        'driver.describe': unused,
        'driver.check': unused,
        'driver.sensors': async () => null,
        'driver.powerLimit': async () => null,
        'driver.setPowerLimit': unused,
        configure: async () => null,
      }
      const { notify } = serve<WorkerMethods, WorkerNotifications>(workerSide, handlers)
      script.computed = (macs) =>
        notify('jobs.computed', { macs: Object.entries(macs).map(([jobId, value]) => ({ jobId, macs: value })) })
      script.token = (piece) => notify('job.token', piece)
      const beat = (): void => {
        if (!isAlive) return
        notify('heartbeat', { at: clock.now(), residentBytes: 1, cpuSeconds: 1, models: [] })
        clock.setTimeout(beat, 1000)
      }
      beat()
      return {
        pid: script.started,
        port: engineSide,
        exited,
        kill: () => end({ code: null, signal: 'SIGKILL' }),
      } satisfies ManagedProcess
    },
  }
  return { host, script }
}

const manifest: ModelManifest = {
  id: 'a-chat',
  kind: 'chat',
  name: 'A chat',
  files: [{ path: 'model.onnx', bytes: 1, sha256: 'ab'.repeat(32) }],
  licence: 'MIT',
  source: 'test',
  context: 100,
  macFormula: MODELS.chat.macFormula,
}
export const chatModel: InstalledModel = installedModelOf(manifest, '/nowhere')
export function embedModel(id: string, bytes = 1): InstalledModel {
  const own: ModelManifest = {
    ...manifest,
    id,
    kind: 'embed',
    name: `Model ${id}`,
    files: [{ path: `${id}.onnx`, bytes, sha256: 'cd'.repeat(32) }],
    macFormula: MODELS.embed.macFormula,
  }
  return installedModelOf(own, '/nowhere')
}

function counted(model: InstalledModel | undefined) {
  if (!model) return undefined
  const { kind, name, context, macFormula } = model.manifest
  return { kind, name, context, macFormula }
}

/** One rig with one device. `far` is the network's far end: what it does to calls. */
export async function createTestRig(
  options: {
    memoryBytes?: number
    models?: readonly InstalledModel[]
    trials?: boolean
    /** milliseconds that were mined: a fifth of them is for synthetic jobs; absent: none */
    minedMilliseconds?: number
    /** of a device that is not the processor, or has a power limit */
    runner?: Partial<Pick<DeviceLoopOptions, 'workerStart' | 'onFault' | 'whileMining'>>
    /** what the network answers otherwise than the practice network's coordinator */
    around?: (network: SessionService) => SessionService
  } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'lode-work-'))
  const clock = manualClock()
  const far = {
    away: false,
    loseShareAnswers: 0,
    /** methods that are over a budget, and how often they were asked meanwhile */
    slowed: new Map<string, number>(),
    submitted: 0,
    forge: null as ((receipt: Signed<Receipt>) => Signed<Receipt>) | null,
    forgeUnit: null as ((unit: Signed<Unit>) => Signed<Unit>) | null,
    forgeOffer: null as ((offer: JobOffer) => object) | null,
  }
  const signer = createSigner('22'.repeat(32))
  const {
    coordinator,
    syntheticJobs,
    store,
    signer: networkSigner,
  } = await createHarness({
    configuration: { ownRig: signer.publicKeyHex },
    clock: { ...createTestClock(), now: clock.now, setTimeout: clock.setTimeout },
    ownModels: { count: async (hash) => counted((options.models ?? [chatModel]).find((model) => model.hash === hash)) },
  })
  const service = coordinator.rigSession(signer.publicKeyHex)
  /** The network's far end: it may be away, lose an answer, or forge what it says. */
  const farEnd: SessionService = {
    ...service,
    handle: async (method, request) => {
      const asked = far.slowed.get(method)
      if (asked !== undefined) {
        far.slowed.set(method, asked + 1)
        return { ok: false, refusal: { code: 'over-budget', message: 'Ask again later.' } }
      }
      if (!REACHED.has(method)) return service.handle(method, request)
      if (far.away) throw new Failure('unavailable', foreignWords('the network is away'))
      if (method !== 'submitShare') {
        const answer = (await service.handle(method, request)) as Answer<unknown>
        if (!answer.ok) return answer
        if (method === 'leaseUnit' && far.forgeUnit)
          return { ok: true, value: far.forgeUnit(answer.value as Signed<Unit>) }
        if (method === 'leaseJob' && far.forgeOffer)
          return { ok: true, value: far.forgeOffer(answer.value as JobOffer) }
        return answer
      }
      far.submitted++
      const answer = (await service.handle(method, request)) as Acknowledgement
      if (far.forge !== null && answer.ok && answer.state === 'accepted')
        return { ...answer, receipt: far.forge(answer.receipt) }
      if (far.loseShareAnswers === 0) return answer
      far.loseShareAnswers--
      throw new Failure('unavailable', foreignWords('the answer was lost'))
    },
  }
  const ledger = openLedger({ folder, clock, ids: { uuid: () => v7() }, onNotice: () => undefined })
  ledger.recordDevice({ id: 'cpu0', kind: 'cpu', name: 'A processor' })
  const events = createEngineEvents()
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const { host, script } = scriptedWorkers(clock)
  const rig: RigContext = {
    version: 'test',
    dataDir: folder,
    clock,
    randomBytes: (count) => new Uint8Array(count),
    randomFraction: () => 0.5,
    host,
    log: silent,
    ledger,
    events,
  }
  const openLink = async () => {
    const opened = linkNetwork(rig, {
      networkName: coordinator.name,
      rigSession: openSerialized(rigProtocol, options.around?.(farEnd) ?? farEnd),
      buyerSession: openSerialized(buyerProtocol, coordinator.buyerSession('person')),
      signer,
      signatures: signatureVerifier,
      networkKey: null,
      lastEpoch: null,
      onEpoch: () => undefined,
    })
    await opened.networkState.hello([{ id: 'cpu0', kind: 'cpu', backends: ['onnx-cpu'] }])
    return opened
  }
  const link = await openLink()
  const { networkState, submissions } = link
  /** of the latest start */
  let running = submissions
  /** what the throttle and the sensors say */
  const conditions = {
    pace: { threadsShare: 1, dutyCycle: 1 },
    celsius: null as number | null,
    watts: null as number | null,
  }
  const jobRates = createJobRates(ledger)
  const units: { difficulty: string; tier: string }[] = []
  const loops: DeviceLoopContext = {
    rig,
    link,
    syntheticJobBudget: createSyntheticJobBudget(() => options.minedMilliseconds ?? 0),
    jobRates,
    pace: () => conditions.pace,
    generateInput: options.trials === true ? async (kind) => (await syntheticJobs.generate(kind, v7())).input : null,
    onChange: () => undefined,
  }
  const runner = createDeviceRunner(loops, {
    deviceId: 'cpu0',
    threads: 1,
    memoryBytes: options.memoryBytes ?? 2 * 1024 ** 3,
    host,
    workerStart: {},
    models: () => options.models ?? [chatModel],
    heat: () => ({ celsius: conditions.celsius, limitCelsius: 95 }),
    energyNow: () => (conditions.watts === null ? null : workEnergy((conditions.watts * clock.monotonic()) / 1000, 0)),
    onFault: () => undefined,
    onUnit: (unit) => {
      ledger.recordUnit(unit, 'cpu0', coordinator.name)
      units.push({ difficulty: unit.body.difficulty, tier: unit.body.tier })
    },
    onWork: () => undefined,
    ...options.runner,
  })
  /** As the Jobs screen does it. */
  const submit = async (model = chatModel): Promise<string> => {
    const id = v7()
    // No two alike: the same work is credited once an epoch.
    const content = `Why ${id}?`
    const input: JobInput =
      model.manifest.kind === 'chat'
        ? { kind: 'chat', messages: [{ role: 'user', content }], maxTokens: 8 }
        : { kind: 'embed', texts: [content] }
    const encoded = EncodedInput.of(input)
    ledger.insertJob({
      id,
      kind: input.kind,
      origin: 'person',
      network: link.networkName,
      modelName: model.manifest.name,
      modelId: model.manifest.id,
      modelHash: model.hash,
      input: encoded,
    })
    await link.buyer.submit({ id, input: encoded, model: model.hash })
    return id
  }
  return {
    clock,
    far,
    events,
    ledger,
    coordinator,
    store,
    link,
    networkState,
    submissions,
    signer,
    networkSigner,
    runner,
    script,
    conditions,
    jobRates,
    units,
    submit,
    stateOf: (id: string) => ledger.workRow(id)?.state,
    totals: () => ledger.creditTotals({ dayStart: 0 }),
    /** As a start after a kill: another link takes up what the ledger has open. Its devices do not run. */
    restart: async () => {
      running.stop()
      const next = await openLink()
      running = next.submissions
      running.recover(ledger.recover())
    },
    macsOfNonce: TIERS['itp1-small'].macs,
    close: async () => {
      const stopped = runner.stop()
      await clock.advance(3000)
      await stopped
      running.stop()
      ledger.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type TestRig = Awaited<ReturnType<typeof createTestRig>>
