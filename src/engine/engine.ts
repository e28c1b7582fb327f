/** The engine, put together from its parts. All product logic is behind `api`; nothing here knows a window, a socket or a command line. */
import { join } from 'node:path'
import { cpus, hostname } from 'node:os'
import { v7 as uuidv7 } from 'uuid'
import type { EventName, Handlers } from '#shared/contract/index'
import type { Notice, StartOptions } from '#shared/contract/engine'
import type { SensorInventory } from '#shared/ipc/sensors'
import type { ProcessHost } from '#process/host'
import type { Clock } from '#process/supervisor'
import { createBenchmarks } from './benchmark'
import {
  createClosers,
  describeFault,
  createEngineEvents,
  type Log,
  electricityPrice,
  openSettings,
  pinNetworkKey,
} from './base'
import type { EngineContext } from './context'
import {
  createDeviceRegistry,
  type DeviceRegistry,
  knownInventory,
  rememberInventory,
  createQuarantine,
  createGpuProbe,
  createNativeProbe,
} from './devices'
import { createSensorsClient, startVerifier } from './workers'
import { createKeptDriverChecks, createDriverSupport } from './drivers'
import { createHandlers } from './handlers'
import { acquireEngineLock, openLedger, openMetrics } from './ledger'
import { createLive, createRigPower, type Live } from './power'
import { createMining, type Mining, openMiningMark, createThrottle } from './mining'
import { createModelSupport, type ModelEnvironment, createUsableModels } from './models'
import {
  createSigner,
  signatureVerifier,
  joinPractice,
  loadRigKeySeed,
  takeUpWhatWasLeft,
  createNetworkState,
  createSubmissions,
} from './network'
import { engineStatus } from './status'
import { createRunnerFactory } from './device-loop'
import { createJobRates, createSampleBudget } from './jobs'

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
  /** a driver that says nothing for so long hangs; a minute when left out */
  driverHangMilliseconds?: number
  models: ModelEnvironment
}

export interface Engine {
  readonly api: {
    readonly version: string
    readonly handlers: Handlers
    onEvent(listener: (event: EventName, data: unknown) => void): () => void
  }
  /** where the page's server puts model files that it is sent */
  readonly uploadsFolder: string
  /** what mining was started with when this folder's engine was cut off a moment ago */
  readonly interruptedMining: StartOptions | null
  /** `engine.quit` was called: whoever hosts the engine closes it. */
  onQuitRequested(listener: () => void): void
  /** Stops mining, ends every process, closes every file. */
  close(): Promise<void>
}

/** Drivers are asked for a quarter of a second's work at a time. */
const DRIVER_HANG_MILLISECONDS = 60_000
const STATUS_MILLISECONDS = 250
/** A slow look at the machine must not hold up the start; what Node itself knows will do until the next. */
const INVENTORY_MILLISECONDS = 2000
/** The native engine is tried in a process of its own: once the screens stand, unless mining asks for it sooner. */
const NATIVE_PROBE_MILLISECONDS = 1500

/** Throws Failure `already-running`, `ledger-damaged`, `ledger-newer` or `data-folder`; then nothing is left open. */
export async function createEngine(parts: EngineParts): Promise<Engine> {
  const { dataDir, clock, host, log } = parts
  const closers = createClosers(log)
  try {
    return await assemble()
  } catch (error) {
    await closers.closeAll()
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
    closers.add(() => lock.release())
    const ledger = openLedger({
      folder: dataDir,
      clock,
      ids,
      onNotice: notice,
      electricity: () => electricityPrice(settings.current),
    })
    closers.add(() => {
      closed = true
      ledger.close()
    })
    const metrics = openMetrics({ folder: dataDir, clock, onNotice: notice })
    closers.add(() => metrics.close())
    const miningMark = openMiningMark(ledger, clock, (error) =>
      log.warn('that mining goes on could not be recorded', { error: describeFault(error) }),
    )
    const settings = openSettings(ledger, hostname())
    const throttle = createThrottle({ clock, settings: () => settings.current.throttle })
    const signer = createSigner(loadRigKeySeed(dataDir, parts.random))
    const randomFraction = (): number => new DataView(Uint8Array.from(parts.random(4)).buffer).getUint32(0) / 2 ** 32

    const native = createNativeProbe({ host, log })
    closers.add(() => native.stop())
    const gpus = createGpuProbe({ host, log, platform: process.platform })
    closers.add(() => gpus.stop())
    const verifier = startVerifier({ host, clock, random: randomFraction, log, nativeWorks: native.works })
    closers.add(() => verifier.stop())
    const sensors = createSensorsClient({ host, clock, random: randomFraction })
    closers.add(() => sensors.stop())

    const practice = await joinPractice({ engine: parts, ledger, verifier, onNotice: notice })
    closers.add(() => practice.close())
    const network = practice.coordinator

    const modelSupport = await createModelSupport({
      ...parts,
      environment: parts.models,
      ledger,
      events,
      settings,
      verifier,
      isMining: () => mining.state === 'mining',
    })
    closers.add(() => modelSupport.stop())
    const { models, library } = modelSupport.access
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
    closers.add(() => submissions.stop())

    const sampleBudget = createSampleBudget(() => mining.minedMilliseconds())
    const usableModels = createUsableModels(models, library)

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
    closers.add(() => announcing?.cancel())

    // Before everything that looks at devices by a timer: a slow machine takes longer than their first.
    const look = async (options?: { timeoutMilliseconds: number }): Promise<SensorInventory> => {
      const found = await sensors.inventory(options)
      if (!closed) rememberInventory(ledger, found)
      return found
    }
    const known = knownInventory(ledger, cpus().length)
    const inventory = known ?? (await look({ timeoutMilliseconds: INVENTORY_MILLISECONDS }))

    const drivers = createDriverSupport({
      folder: join(dataDir, 'drivers'),
      ledger,
      host,
      log,
      clock,
      events,
      devices: () => devices,
      mining: () => mining,
      wishedWatts: (deviceId) => settings.device(deviceId).powerLimitWatts,
      onChange: changed,
    })
    closers.add(() => drivers.stop())
    const { powers, readings: sensorReadings } = createRigPower({
      clock,
      machine: sensors,
      inventory,
      devices: () => devices.runners(),
      isDriverDevice: (deviceId) => drivers.ownerOf(deviceId) !== null,
    })
    closers.add(() => sensorReadings.stop())
    const driverChecks = createKeptDriverChecks({ folder: join(dataDir, 'drivers'), ledger, host, drivers, clock })
    closers.add(() => driverChecks.stop())
    const createRunner = createRunnerFactory({
      drivers,
      sensorReadings,
      driverHangMilliseconds: parts.driverHangMilliseconds ?? DRIVER_HANG_MILLISECONDS,
      rigKey: signer.publicKeyHex,
      host,
      clock,
      random: randomFraction,
      randomBytes: parts.random,
      log,
      network,
      networkState,
      submissions,
      sampleBudget,
      models: () => usableModels.runnable(),
      jobRates: createJobRates(ledger),
      ledger,
      events,
      verifier,
      live: () => live,
      pace: () => throttle.pace,
      heat: (deviceId) => devices.heat(deviceId),
      onGpuFault: (deviceId, fault) => quarantine.onGpuFault(deviceId, fault),
      onChange: changed,
    })
    const live: Live = createLive({
      clock,
      metrics,
      power: powers.of,
      isActive: () => mining.state !== 'stopped' || devices.runners().some((runner) => runner.runningJobs.length > 0),
      onTick: (tick) => events.emit('engine.live', tick),
    })
    closers.add(() => live.stop())
    const devices: DeviceRegistry = createDeviceRegistry({
      inventory,
      readInventory: look,
      settings,
      nativeWorks: native.works,
      gpuEngines: gpus.engines,
      createRunner,
      drivers,
      powers,
      modelName: (hash) => usableModels.name(hash),
      rate: (deviceId) => live.rate(deviceId),
      onForgotten: (deviceId) => live.remove(deviceId),
      onFound: () => {
        mining
          .devicesChanged()
          .catch((error: unknown) => log.error('devices could not join', { error: describeFault(error) }))
      },
      onChange: changed,
    })

    const engineLook = clock.setTimeout(() => void devices.settled(), NATIVE_PROBE_MILLISECONDS)
    closers.add(() => engineLook.cancel())
    if (known !== null)
      devices
        .refresh()
        .catch((error: unknown) =>
          log.warn('the machine could not be looked at again', { error: describeFault(error) }),
        )

    const quarantine = createQuarantine({ ...parts, devices, drivers, mining: () => mining, ledger, events })
    const mining: Mining = createMining({
      clock,
      devices: () => devices.list(),
      enginesKnown: () => devices.ready(),
      allKnown: () => devices.settled(),
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
        if (options.fetchModels !== false) void library.fetchDefaults()
      },
      onStopped: () =>
        attempt('the end of mining could not be recorded', () => {
          miningMark.end()
          ledger.recordEvent({ severity: 'info', code: 'mining-stopped', message: 'Mining stopped.' })
        }),
      onChange: changed,
    })
    closers.add(() => mining.stop({ finish: false }))

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
      isClosed: () => closed,
      readyKinds: () => usableModels.kinds(),
      events,
      ledger,
      metrics,
      settings,
      throttle,
      devices,
      powers,
      benchmarks: createBenchmarks({ ...parts, devices, powers, quarantine: quarantine.put, ledger, signer }),
      drivers,
      driverChecks,
      live,
      mining,
      ...modelSupport.access,
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
    const rigKey = signer.publicKeyHex
    await takeUpWhatWasLeft({ ledger, network, rigKey, log, submissions }, () => devices.usableRunners())
    void ledger
      .backUpIfDue()
      .catch((error: unknown) =>
        notice({ severity: 'warning', code: 'backup-failed', message: `The daily backup failed: ${String(error)}` }),
      )
    log.info('engine runs', { dataDir, version: parts.version })

    return {
      api: { version: parts.version, handlers, onEvent: (listener) => events.onAny(listener) },
      uploadsFolder: modelSupport.uploadsFolder,
      interruptedMining: miningMark.interrupted,
      onQuitRequested: (listener) => void quitListeners.push(listener),
      close: closers.closeAll,
    }
  }
}
