/**
 * The engine, put together from its parts. The file reads from top to bottom: each part knows only the parts above it, and
 * reaches later ones through signals. All product logic is behind `api`; nothing here knows a window, a socket or a command line.
 */
import { join } from 'node:path'
import { cpus, hostname } from 'node:os'
import { v7 as uuidv7 } from 'uuid'
import type { EventName, Handlers } from '#shared/contract/index'
import type { StartOptions } from '#shared/contract/engine'
import { bytesToHex } from '#shared/domain/bytes'
import type { SensorInventory } from '#shared/ipc/sensors'
import type { SessionService } from '#shared/protocol/session'
import type { SessionTransport } from '#shared/protocol/session-client'
import type { ProcessHost } from '#process/host'
import type { Clock } from '#process/clock'
import { message } from '#shared/domain/messages'
import {
  createClosers,
  createCoalescingSignal,
  createEngineEvents,
  createOpeningNotices,
  createSignal,
  createTariff,
  describeFault,
  electricityPrice,
  openSettings,
  type Log,
  type RigContext,
} from './base'
import { createBenchmarks } from './benchmark'
import type { EngineContext } from './context'
import { createRigDevices } from './device-loop'
import {
  createDeviceRegistry,
  createGpuProbe,
  createMachine,
  createNativeProbe,
  createQuarantine,
  knownInventory,
  rememberInventory,
} from './devices'
import { createDrivers, createKeptDriverChecks } from './drivers'
import { createHandlers } from './handlers'
import { createJobRates, createSyntheticJobBudget } from './jobs'
import { acquireEngineLock, openLedger, openMetrics } from './ledger'
import { createMining, createMiningClock, createThrottle, openResumeMarker } from './mining'
import { createModelCounter, createModelSupport, type ModelEnvironment } from './models'
import { createSigner, joinPractice, linkNetwork, loadRigKeySeed, signatureVerifier, recoverOpenWork } from './network'
import { createDevicePowers, createLive, createSensorReadings } from './power'
import { engineStatus } from './status'
import { createDriverChannel, createSensorsClient, startVerifier } from './workers'

export interface EngineOptions {
  /** created when it is absent; only one engine runs in a folder */
  dataDir: string
  version: string
  clock: Clock
  /** returns `bytes` unpredictable bytes */
  random: (bytes: number) => Uint8Array
  host: ProcessHost
  log: Log
  logFile: string | null
  /** manifests of the models that Lode knows */
  resourcesFolder: string
  /** length of the practice network's epochs, from the next epoch on */
  epochSeconds?: number
  /** whether the practice network takes shares of the tests' tier */
  allowTestTier: boolean
  /** a driver without an answer in this time hangs; absent: a minute */
  driverHangMilliseconds?: number
  models: ModelEnvironment
  /** what carries the sessions with the practice network; absent: they are called directly. Tests serialize them. */
  carrySession?: (service: SessionService) => SessionTransport
}

export interface Engine {
  readonly api: {
    readonly version: string
    readonly handlers: Handlers
    onEvent(listener: (event: EventName, data: unknown) => void): () => void
  }
  /** the folder for model files that the page uploads */
  readonly uploadsFolder: string
  /** the options of the mining that was cut off less than a minute ago; null: there was none */
  readonly interruptedMining: StartOptions | null
  /** Calls the listener when `engine.quit` was called: the host then closes the engine. */
  onQuitRequested(listener: () => void): void
  /** Stops mining, ends every process, closes every file. */
  close(): Promise<void>
}

/** Far more than a driver needs: it is asked for a quarter of a second's work at a time. */
const DRIVER_HANG_MILLISECONDS = 60_000
/** Changes within this time are one message to the screens. */
const STATUS_MILLISECONDS = 250
/** The start waits this long for the inventory of the machine; until it comes, what Node itself knows is used. */
const INVENTORY_MILLISECONDS = 2000
/** Devices are tried this long after the start, when the screens are open, unless mining needs them sooner. */
const NATIVE_PROBE_MILLISECONDS = 1500

/** Opens a data folder and starts its engine. Throws Failure `already-running`, `ledger-damaged`, `ledger-newer` or `data-folder`; then nothing is left open. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const closers = createClosers(options.log)
  try {
    return await assemble(options, closers)
  } catch (error) {
    await closers.closeAll()
    throw error
  }
}

async function assemble(options: EngineOptions, closers: ReturnType<typeof createClosers>): Promise<Engine> {
  const { dataDir, version, clock, host, log } = options

  // The rig: its files, its settings, its key.
  const events = createEngineEvents()
  const ids = { uuid: () => uuidv7() }
  const opening = createOpeningNotices(log)
  const tariff = createTariff()
  const lock = acquireEngineLock(dataDir)
  closers.add(() => lock.release())
  const ledger = openLedger({ folder: dataDir, clock, ids, onNotice: opening.add, electricity: tariff.current })
  let closed = false
  closers.add(() => {
    closed = true
    ledger.close()
  })
  const metrics = openMetrics({ folder: dataDir, clock, onNotice: opening.add })
  closers.add(() => metrics.close())
  const settings = openSettings(ledger, hostname())
  tariff.follow(() => electricityPrice(settings.current))
  const rig: RigContext = {
    version,
    dataDir,
    clock,
    randomBytes: options.random,
    randomFraction: () => new DataView(Uint8Array.from(options.random(4)).buffer).getUint32(0) / 2 ** 32,
    host,
    log,
    ledger,
    events,
  }
  const signer = createSigner(loadRigKeySeed(dataDir, options.random))
  /** For work that the engine does by itself: a failure, such as a full disk, is logged and does not end the engine. */
  const attempt = (failed: string, work: () => void): void => {
    try {
      work()
    } catch (error) {
      log.error(failed, { error: describeFault(error) })
    }
  }
  const inBackground = (failed: string, work: Promise<unknown>): void => {
    work.catch((error: unknown) => log.error(failed, { error: describeFault(error) }))
  }
  const changed = createCoalescingSignal(clock, STATUS_MILLISECONDS)
  closers.add(() => changed.stop())

  // Processes that probe, read sensors and verify.
  const native = createNativeProbe(rig)
  closers.add(() => native.stop())
  const gpus = createGpuProbe(rig, { platform: process.platform })
  closers.add(() => gpus.stop())
  const verifier = startVerifier(rig, { nativeWorks: native.works })
  closers.add(() => verifier.stop())
  const sensors = createSensorsClient(rig)
  closers.add(() => sensors.stop())

  // Models.
  const miningClock = createMiningClock(clock)
  const modelSupport = await createModelSupport(rig, {
    resourcesFolder: options.resourcesFolder,
    environment: options.models,
    settings,
    verifier,
    isMining: () => miningClock.isRunning,
  })
  closers.add(() => modelSupport.stop())
  const { models, usable: usableModels, library } = modelSupport.access

  // The network.
  const network = await joinPractice(rig, {
    rigKey: signer.publicKeyHex,
    verifier,
    countModel: createModelCounter(models, verifier),
    installedModel: (hash) => models.usable().find((model) => model.hash === hash),
    allowTestTier: options.allowTestTier,
    onNotice: opening.add,
    ...(options.epochSeconds === undefined ? {} : { epochSeconds: options.epochSeconds }),
    ...(options.carrySession === undefined ? {} : { carrySession: options.carrySession }),
  })
  closers.add(() => network.close())
  const link = linkNetwork(rig, {
    ...network,
    signer,
    signatures: signatureVerifier,
    onEpoch: () => changed.emit(),
  })
  closers.add(() => link.submissions.stop())

  // Devices of the machine and of the added drivers. They are made before the parts that read devices by a timer: on a slow
  // machine the inventory takes longer than a timer's first tick.
  const look = async (limits?: { timeoutMilliseconds: number }): Promise<SensorInventory> => {
    const found = await sensors.inventory(limits)
    if (!closed) rememberInventory(ledger, found)
    return found
  }
  const known = knownInventory(ledger, cpus().length)
  const machine = createMachine(rig, {
    inventory: known ?? (await look({ timeoutMilliseconds: INVENTORY_MILLISECONDS })),
    readInventory: look,
    settings,
    nativeWorks: native.works,
    gpuBackends: gpus.backends,
  })
  const channel = createDriverChannel()
  const driversFolder = join(dataDir, 'drivers')
  const drivers = createDrivers(rig, {
    folder: driversFolder,
    channel,
    wishedWatts: (deviceId) => settings.device(deviceId).powerLimitWatts,
    hangMilliseconds: options.driverHangMilliseconds ?? DRIVER_HANG_MILLISECONDS,
  })
  closers.add(() => drivers.stop())
  const driverChecks = createKeptDriverChecks(rig, { folder: driversFolder, drivers })
  closers.add(() => driverChecks.stop())
  const registry = createDeviceRegistry({ machine, others: [drivers], settings })
  const firstTrials = clock.setTimeout(() => void registry.settled(), NATIVE_PROBE_MILLISECONDS)
  closers.add(() => firstTrials.cancel())

  // Watts and joules.
  const powers = createDevicePowers({
    inventory: machine.inventory,
    isDriverDevice: (id) => drivers.driving(id) !== null,
  })
  machine.onRefreshed.on(powers.refresh)
  const sensorReadings = createSensorReadings({
    clock,
    machine: sensors,
    driverDevices: channel.peers,
    onReading: powers.onReading,
  })
  closers.add(() => sensorReadings.stop())
  const live = createLive({
    clock,
    metrics,
    power: powers.of,
    isMining: () => miningClock.isRunning,
    onTick: (tick) => events.emit('engine.live', tick),
  })
  closers.add(() => live.stop())

  // Devices at work.
  const throttle = createThrottle({ clock, settings: () => settings.current.throttle })
  const devices = createRigDevices({
    rig,
    link,
    registry,
    settings,
    models: usableModels,
    verifier,
    powers,
    live,
    sensorReadings,
    channel,
    syntheticJobBudget: createSyntheticJobBudget(miningClock.milliseconds),
    jobRates: createJobRates(ledger),
    generateInput: async (kind) => (await verifier.generate(kind, bytesToHex(rig.randomBytes(32)))).input,
    pace: () => throttle.pace,
    onChange: () => changed.emit(),
  })

  // Mining.
  const resumeMarker = openResumeMarker(rig)
  const hello = (): Promise<void> =>
    link.networkState.hello(registry.list().map(({ id, kind, backends }) => ({ id, kind, backends })))
  const mining = createMining({
    clock,
    miningClock,
    devices: devices.list,
    backendsKnown: registry.ready,
    allKnown: registry.settled,
    runner: devices.runner,
    syntheticJobsWanted: () => settings.current.samples,
    keepsGoing: () => settings.current.practiceKeepGoing,
    setKeepsGoing: (practiceKeepGoing) => {
      events.emit('settings.changed', settings.change({ practiceKeepGoing }))
    },
    isPractice: true,
    join: hello,
    onStarted: (startOptions) => {
      resumeMarker.begin(startOptions)
      verifier.warmUp()
      live.reset()
      metrics.pauseEnded(clock.now())
      ledger.recordEvent({ severity: 'info', words: message('mining-started') })
      if (startOptions.fetchModels !== false) void library.fetchDefaults()
    },
    onStopped: () =>
      attempt('the end of mining could not be recorded', () => {
        resumeMarker.end()
        ledger.recordEvent({ severity: 'info', words: message('mining-stopped') })
      }),
    onChange: () => changed.emit(),
  })
  closers.add(() => mining.stop({ finish: false }))
  const quarantine = createQuarantine(rig, {
    registry,
    stop: (deviceId) => devices.runner(deviceId).stop(),
    forget: devices.forget,
    devicesChanged: mining.devicesChanged,
  })
  devices.onFault.on(({ deviceId, fault }) => quarantine.report(deviceId, { kind: 'stopped', fault }))
  machine.onRefreshed.on(() => changed.emit())
  machine.onChange.on(() => changed.emit())
  machine.onFound.on(() => {
    inBackground('devices could not join', mining.devicesChanged())
    changed.emit()
  })
  drivers.onChange.on(() => {
    events.emit('drivers.changed', drivers.list())
    changed.emit()
    // The devices of a quarantined driver stop; the others go on.
    inBackground('devices could not follow their drivers', mining.devicesChanged())
  })

  // What screens and the command use.
  const quit = createSignal()
  const context: EngineContext = {
    ...rig,
    ...link,
    logFile: options.logFile,
    isClosed: () => closed,
    metrics,
    settings,
    throttle,
    registry,
    devices,
    powers,
    benchmarks: createBenchmarks(rig, {
      devices,
      powers,
      settled: registry.settled,
      quarantine: quarantine.put,
      signer,
    }),
    drivers,
    driverChecks,
    live,
    mining,
    ...modelSupport.access,
    signer,
    signatures: signatureVerifier,
    ids,
    openingNotices: opening.notices,
    requestQuit: () => quit.emit(),
  }
  changed.on(() =>
    attempt('the state could not be reported', () => {
      events.emit('engine.status', engineStatus(context))
      events.emit('devices.changed', devices.list())
    }),
  )
  if (known !== null) inBackground('the machine could not be looked at again', registry.refresh())

  // What the network tells, and the open work of a former run.
  link.session.on('work', () =>
    attempt('devices could not be told that there is work', () => {
      for (const runner of devices.usableRunners()) if (runner.takesJobs) runner.wake()
    }),
  )
  link.buyer.on('tokens', ({ job, text, index }) => events.emit('job.token', { id: job, text, index }))
  await hello()
  await recoverOpenWork(rig, link, () => devices.usableRunners())
  network.start()
  ledger
    .backUpIfDue()
    .catch((error: unknown) =>
      opening.add({ severity: 'warning', words: message('backup-failed', { words: String(error) }) }),
    )
  log.info('engine runs', { dataDir, version })

  return {
    api: { version, handlers: createHandlers(context), onEvent: (listener) => events.onAny(listener) },
    uploadsFolder: modelSupport.uploadsFolder,
    interruptedMining: resumeMarker.interrupted,
    onQuitRequested: (listener) => void quit.on(listener),
    close: closers.closeAll,
  }
}
