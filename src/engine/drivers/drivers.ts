/**
 * Drivers that the person added: approved by name and hash, tried in processes that are thrown away, quarantined when
 * they crash, hang or compute wrongly. Lode's own processes never load one; each device's worker does.
 */
import type { DriverRow } from '#shared/contract/drivers'
import { Failure, messageOf } from '#shared/domain/errors'
import { inEnglish, message, type Message } from '#shared/domain/messages'
import type { DriverDevice } from '#shared/ipc/worker'
import type { ProcessHost } from '#process/host'
import type { DeviceFault, DeviceProvider } from '../devices'
import { createSignal, type RigContext, type Signal } from '../base'
import type { DriverChannel } from '../workers'
import { openApprovals } from './approvals'
import { describeDriverDevice, deviceIdOf, driverDeviceOf, rowOf, type KnownDriver } from './device'
import { createPowerLimits } from './power-limits'
import { hashOf, inspectDriver, PLATFORM, placeDriver, readDrivers, removeDriver, type PlacedDriver } from './store'
import { describeLibrary, setPowerLimit, tryDevice, type Trial } from './trial'

export interface Drivers extends DeviceProvider {
  list(): DriverRow[]
  /** Reads a driver's manifest and runs nothing of it. Throws a Failure that says what does not fit this computer. */
  inspect(path: string): Promise<PlacedDriver['manifest']>
  /** Adds a driver. `sha256`: the hash that the person approved. Throws a Failure for a driver that cannot be described; a driver that computes wrongly is quarantined. */
  add(path: string, sha256: string): Promise<DriverRow>
  /** Removes a driver. The loops of its devices must have been stopped. */
  remove(name: string): Promise<void>
  /** Ends a quarantine and tries the driver again. */
  retry(name: string): Promise<DriverRow>
  /** emitted after every change */
  readonly onChange: Signal
  /** Ends the trials that are under way. */
  stop(): Promise<void>
}

export interface DriversOptions {
  folder: string
  /** the power limit that the person wants of a device while it mines */
  wishedWatts: (deviceId: string) => number | undefined
  /** to the running workers of the devices */
  channel: Pick<DriverChannel, 'ask'>
  /** a worker without an answer in this time hangs */
  hangMilliseconds: number
  trialMilliseconds?: number
}

const TRIAL_MILLISECONDS = 20_000

export function createDrivers(
  { ledger, host, log, clock }: Pick<RigContext, 'ledger' | 'host' | 'log' | 'clock'>,
  options: DriversOptions,
): Drivers {
  const { folder } = options
  const onChange = createSignal()
  const approvals = openApprovals(ledger)
  const stopping = new AbortController()
  const trial: Trial = {
    host,
    signal: stopping.signal,
    timeoutMilliseconds: options.trialMilliseconds ?? TRIAL_MILLISECONDS,
  }
  const known = new Map<string, KnownDriver>()
  for (const placed of readDrivers(folder)) {
    const { name } = placed.manifest
    known.set(name, { ...placed, state: 'checking', triedAt: clock.now(), devices: approvals.devices(name) })
  }
  let looked: Promise<void> | null = null
  let changes: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = changes.then(work)
    changes = turn.catch(() => undefined)
    return turn
  }
  const find = (name: string): KnownDriver => {
    const found = known.get(name)
    if (!found) throw new Failure('not-found', message('driver-not-found', { driver: name }))
    return found
  }
  const put = (driver: KnownDriver, state: KnownDriver['state'], reason?: Message): void => {
    driver.state = state
    if (reason === undefined) delete driver.reason
    else driver.reason = reason
    onChange.emit()
  }
  const idsOf = ({ manifest, devices }: KnownDriver): string[] => devices.map(({ id }) => deviceIdOf(manifest.name, id))

  const quarantine = (name: string, reason: Message): void => {
    const driver = known.get(name)
    if (!driver || (driver.state !== 'ready' && driver.state !== 'checking')) return
    log.error('a driver is quarantined', { driver: name, reason: inEnglish.text(reason) })
    put(driver, 'quarantined', message('quarantined-because', { reason }))
    approvals.setQuarantine(name, reason)
    ledger.recordEvent({ severity: 'error', words: message('driver-quarantined', { driver: name, reason }) })
  }

  /** Whether the library is still what the person approved. */
  const isUnchanged = async (driver: KnownDriver): Promise<boolean> => {
    const approved = approvals.hash(driver.manifest.name)
    if (approved !== null && approved === driver.manifest.sha256 && (await hashOf(driver.library)) === approved)
      return true
    put(driver, 'changed', message('driver-changed'))
    return false
  }

  const ownerOf = (deviceId: string): { driver: KnownDriver; device: DriverDevice } | null => {
    for (const driver of known.values()) {
      const device = driver.devices.find(({ id }) => deviceIdOf(driver.manifest.name, id) === deviceId)
      if (device) return { driver, device: driverDeviceOf(driver.library, device) }
    }
    return null
  }

  const powerLimits = createPowerLimits({
    ledger,
    log,
    wishedWatts: options.wishedWatts,
    ask: options.channel.ask,
    onChange: () => onChange.emit(),
    setElsewhere: async (deviceId, watts) => {
      const owner = ownerOf(deviceId)
      if (owner === null || !(await isUnchanged(owner.driver)))
        throw new Failure('device-unavailable', owner?.driver.reason ?? message('driver-gone'))
      return setPowerLimit(trial, owner.device, watts)
    },
  })

  /** Judges a failed trial: the driver's own fault quarantines the driver, any other failure only keeps it from working now. */
  const judge = (driver: KnownDriver, error: unknown, where?: string): void => {
    if (stopping.signal.aborted) return
    const found = messageOf(error)
    const reason = where === undefined ? found : message('about-device', { device: where, reason: found })
    if (error instanceof Failure && error.code === 'driver-fault') quarantine(driver.manifest.name, reason)
    else put(driver, 'unsupported', message('driver-not-usable', { reason }))
  }

  const tryDevices = async (driver: KnownDriver): Promise<void> => {
    for (const found of driver.devices) {
      const deviceId = deviceIdOf(driver.manifest.name, found.id)
      const device = driverDeviceOf(driver.library, found)
      const restoreWatts = powerLimits.leftOver(deviceId)
      try {
        powerLimits.saw(deviceId, await tryDevice(trial, device, restoreWatts))
        if (restoreWatts !== null) powerLimits.restored(deviceId)
      } catch (error) {
        judge(driver, error, found.name)
        return
      }
    }
    driver.triedAt = clock.now()
    put(driver, 'ready')
  }

  /** Reads, describes and tries a driver that is in the store. */
  const look = async (driver: KnownDriver): Promise<void> => {
    const { name, platforms } = driver.manifest
    if (!platforms.includes(PLATFORM)) {
      put(driver, 'unsupported', message('driver-other-platform', { platforms, platform: PLATFORM }))
      return
    }
    if (!(await isUnchanged(driver))) return
    const held = approvals.quarantine(name)
    if (held !== null) {
      put(driver, 'quarantined', message('quarantined-because', { reason: held }))
      for (const deviceId of idsOf(driver)) await powerLimits.restore(deviceId)
      return
    }
    try {
      driver.devices = (await describeLibrary(trial, driver.library)).devices
      approvals.rememberDevices(name, driver.devices)
    } catch (error) {
      judge(driver, error)
      return
    }
    await tryDevices(driver)
  }

  const add = async (path: string, sha256: string): Promise<DriverRow> => {
    const found = await inspectDriver(path)
    const { name } = found.manifest
    if (found.manifest.sha256 !== sha256) {
      throw new Failure('conflict', message('driver-not-approved', { driver: name }))
    }
    const placed = await placeDriver(folder, found)
    const driver: KnownDriver = { ...placed, state: 'checking', triedAt: clock.now(), devices: [] }
    try {
      driver.devices = (await describeLibrary(trial, placed.library)).devices
      if (driver.devices.length === 0) throw new Failure('device-unavailable', message('driver-finds-no-device'))
    } catch (error) {
      await removeDriver(folder, name)
      throw new Failure('invalid-input', message('driver-not-added', { driver: name, reason: messageOf(error) }))
    }
    approvals.approve(name, sha256)
    approvals.rememberDevices(name, driver.devices)
    ledger.recordEvent({
      severity: 'info',
      words: message('driver-approved', { driver: name, sha256 }),
    })
    known.set(name, driver)
    await tryDevices(driver)
    return rowOf(driver)
  }

  const remove = async (name: string): Promise<void> => {
    const driver = find(name)
    for (const deviceId of idsOf(driver)) {
      if (!(await powerLimits.restore(deviceId))) {
        ledger.recordEvent({ severity: 'warning', words: message('power-limit-left', { device: deviceId }) })
      }
      powerLimits.forget(deviceId)
    }
    await removeDriver(folder, name)
    known.delete(name)
    approvals.forget(name)
    onChange.emit()
  }

  const retry = (name: string): Promise<DriverRow> =>
    inTurn(async () => {
      const driver = find(name)
      approvals.setQuarantine(name, null)
      driver.triedAt = clock.now()
      put(driver, 'checking')
      await look(driver)
      return rowOf(driver)
    })

  /** The rig's host, which starts a worker only while the library has the approved hash. */
  const guardedHost = (deviceId: string): ProcessHost => ({
    start: async (program, start) => {
      const owner = ownerOf(deviceId)
      if (owner === null || owner.driver.state !== 'ready' || !(await isUnchanged(owner.driver))) {
        throw new Failure('device-unavailable', owner?.driver.reason ?? message('driver-removed'))
      }
      return host.start(program, start)
    },
  })

  /** Judges a fault of a device: the driver's own fault quarantines the driver with all its devices, any other fault concerns the device alone. */
  const judgeFault = (driver: KnownDriver, deviceId: string, fault: DeviceFault): 'quarantined' | 'ignored' => {
    const { name } = driver.manifest
    switch (fault.kind) {
      case 'wrong-results':
        quarantine(name, message('about-device', { device: deviceId, reason: fault.reason }))
        return 'quarantined'
      case 'wrong-digest':
        // A share that is older than the driver's last trial says nothing new.
        if (fault.foundAt < driver.triedAt) return 'ignored'
        quarantine(name, message('by-device-wrong-digest', { device: deviceId }))
        return 'quarantined'
      case 'stopped':
        if (fault.fault.code !== 'driver-fault') return 'ignored'
        quarantine(name, message('about-device', { device: deviceId, reason: fault.fault.words }))
        return 'quarantined'
    }
  }

  return {
    list: () => [...known.values()].map(rowOf),
    inspect: async (path) => (await inspectDriver(path)).manifest,
    add: (path, sha256) => inTurn(() => add(path, sha256)),
    remove: (name) => inTurn(() => remove(name)),
    retry,
    settled: () => {
      looked ??= inTurn(async () => {
        for (const driver of known.values()) {
          await look(driver).catch((error: unknown) =>
            log.error('a driver could not be tried', { error: String(error) }),
          )
        }
      })
      return looked
    },
    devices: (settings, computerMemoryBytes) =>
      [...known.values()].flatMap((driver) =>
        driver.devices.map((device) =>
          describeDriverDevice({
            driver: rowOf(driver),
            device,
            settings: settings[deviceIdOf(driver.manifest.name, device.id)],
            computerMemoryBytes,
          }),
        ),
      ),
    driving: (deviceId) => {
      const owner = ownerOf(deviceId)
      if (owner === null) return null
      return {
        workerStart: { driver: owner.device },
        host: guardedHost(deviceId),
        hangMilliseconds: options.hangMilliseconds,
        runsJobs: false,
        powerLimit: {
          current: () => powerLimits.of(deviceId),
          check: (watts) => powerLimits.check(deviceId, watts),
          begin: () => powerLimits.begin(deviceId),
          end: () => powerLimits.end(deviceId),
        },
        judge: (fault) => judgeFault(owner.driver, deviceId, fault),
        retry: async () => void (await retry(owner.driver.manifest.name)),
      }
    },
    onChange,
    stop: async () => {
      stopping.abort()
      await Promise.all([changes, powerLimits.settled()])
    },
  }
}
