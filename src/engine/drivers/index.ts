/**
 * Drivers that the person added: approved by name and hash, tried in processes that are thrown away, quarantined when
 * they crash, hang or compute wrongly. Lode's own processes never load one; each device's worker does.
 */
import { z } from 'zod'
import type { DriverRow } from '#shared/contract/drivers'
import type { NativeDriver } from '#shared/domain/driver'
import { hex64 } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import type { DriverDevice } from '#shared/domain/worker-protocol'
import type { ProcessHost } from '#process/host'
import type { DeviceDescriptor, DeviceSettings } from '../devices'
import type { Ledger } from '../ledger'
import type { Log } from '../log'
import { describeDriverDevice, deviceIdOf, kindOf } from './device'
import { hashOf, inspectDriver, PLATFORM, placeDriver, readDrivers, removeDriver, type PlacedDriver } from './store'
import { describeLibrary, tryEngine, type Trial } from './trial'

export interface Drivers {
  list(): DriverRow[]
  /** Nothing of the driver runs. Throws a Failure that says what does not fit here. */
  inspect(path: string): Promise<PlacedDriver['manifest']>
  /** `sha256`: what the person approved. A driver that cannot be described is refused; one that computes wrongly is quarantined. */
  add(path: string, sha256: string): Promise<DriverRow>
  remove(name: string): Promise<void>
  /** Ends a quarantine and tries the driver again. */
  retry(name: string): Promise<DriverRow>
  /** Settles when every driver was tried once in this run. Never rejects. */
  ready(): Promise<void>
  /** Devices of approved drivers, with the person's settings. */
  devices(settings: Readonly<Record<string, DeviceSettings>>, computerMemoryBytes: number): DeviceDescriptor[]
  /** Whose device this is; null: none of a driver's. */
  ownerOf(deviceId: string): { driver: string; device: DriverDevice } | null
  /** The same host, which starts a worker only while the library is what was approved. */
  guardedHost(deviceId: string): ProcessHost
  /** From now on none of its devices works, until the person tries it again. */
  quarantine(name: string, reason: string): void
  /** Ends trials under way. */
  stop(): Promise<void>
}

export interface DriversParts {
  folder: string
  ledger: Ledger
  host: ProcessHost
  log: Log
  /** after every change */
  onChange: () => void
  trialMilliseconds?: number
}

const TRIAL_MILLISECONDS = 20_000
const SETTING = 'drivers'
const remembered = z.record(z.string(), z.object({ sha256: hex64, quarantine: z.string().optional() }))

interface Known extends PlacedDriver {
  state: DriverRow['state']
  reason?: string
  devices: NativeDriver['devices']
}

export function createDrivers(parts: DriversParts): Drivers {
  const { folder, ledger, host, log } = parts
  const approvals = { ...ledger.setting(SETTING, remembered) }
  const stopping = new AbortController()
  const trial: Trial = {
    host,
    signal: stopping.signal,
    timeoutMilliseconds: parts.trialMilliseconds ?? TRIAL_MILLISECONDS,
  }
  const known = new Map<string, Known>()
  for (const placed of readDrivers(folder))
    known.set(placed.manifest.name, { ...placed, state: 'checking', devices: [] })
  let looked: Promise<void> | null = null
  let changes: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = changes.then(work)
    changes = turn.catch(() => undefined)
    return turn
  }
  const save = (): void => ledger.saveSetting(SETTING, approvals)
  const find = (name: string): Known => {
    const found = known.get(name)
    if (!found)
      throw new Failure('not-found', `there is no driver "${name}"`, 'See "lode drivers list" for those there are.')
    return found
  }
  const put = (driver: Known, state: Known['state'], reason?: string): void => {
    driver.state = state
    if (reason === undefined) delete driver.reason
    else driver.reason = reason
    parts.onChange()
  }
  const row = ({ manifest, state, reason, devices }: Known): DriverRow => ({
    name: manifest.name,
    vendor: manifest.vendor,
    version: manifest.version,
    licence: manifest.licence,
    sha256: manifest.sha256,
    platforms: manifest.platforms,
    state,
    ...(reason === undefined ? {} : { reason }),
    devices: devices.map((device) => ({
      id: deviceIdOf(manifest.name, device.id),
      name: device.name,
      kind: kindOf(device.kind),
    })),
  })

  const quarantine = (name: string, reason: string): void => {
    const driver = known.get(name)
    const approval = approvals[name]
    if (!driver || !approval || driver.state === 'quarantined') return
    log.error('a driver is quarantined', { driver: name, reason })
    approvals[name] = { ...approval, quarantine: reason }
    save()
    ledger.recordEvent({ severity: 'error', code: 'driver-quarantined', message: `${name} is quarantined: ${reason}.` })
    put(driver, 'quarantined', `Quarantined: ${reason}.`)
  }

  /** Whether the library is still what the person approved. */
  const isUnchanged = async (driver: Known): Promise<boolean> => {
    const { name } = driver.manifest
    const approved = approvals[name]?.sha256
    if (approved !== undefined && approved === driver.manifest.sha256 && (await hashOf(driver.library)) === approved)
      return true
    put(driver, 'changed', 'Its file is not the one that was approved; it is not loaded. Remove it and add it again.')
    return false
  }

  const tryDevices = async (driver: Known): Promise<void> => {
    const { name } = driver.manifest
    for (const { id, name: words } of driver.devices) {
      const device: DriverDevice = { library: driver.library, id, memoryLimitBytes: 0 }
      try {
        await tryEngine(trial, { role: 'worker', deviceId: 'probe', threads: 1, driver: device }, 'native')
      } catch (error) {
        if (stopping.signal.aborted) return
        quarantine(name, `${words}: ${reasonOf(error)}`)
        return
      }
    }
    put(driver, 'ready')
  }

  /** Reads, describes and tries a driver that is in the store. */
  const look = async (driver: Known): Promise<void> => {
    const { manifest } = driver
    if (!manifest.platforms.includes(PLATFORM)) {
      put(driver, 'unsupported', `It is made for ${manifest.platforms.join(', ')}, and this computer is ${PLATFORM}.`)
      return
    }
    if (!(await isUnchanged(driver))) return
    const held = approvals[manifest.name]?.quarantine
    if (held !== undefined) {
      put(driver, 'quarantined', `Quarantined: ${held}.`)
      return
    }
    try {
      driver.devices = (await describeLibrary(trial, driver.library)).devices
    } catch (error) {
      if (!stopping.signal.aborted) quarantine(manifest.name, reasonOf(error))
      return
    }
    await tryDevices(driver)
  }

  const add = async (path: string, sha256: string): Promise<DriverRow> => {
    const found = await inspectDriver(path)
    const { name } = found.manifest
    if (found.manifest.sha256 !== sha256) {
      throw new Failure('conflict', `${name} is not the file that was approved`, 'Look at it again, then approve it.')
    }
    const placed = await placeDriver(folder, found)
    const driver: Known = { ...placed, state: 'checking', devices: [] }
    try {
      driver.devices = (await describeLibrary(trial, placed.library)).devices
    } catch (error) {
      await removeDriver(folder, name)
      throw new Failure(
        'invalid-input',
        `${name} was not added: ${reasonOf(error)}`,
        "Ask the driver's maker for one that works here.",
      )
    }
    approvals[name] = { sha256 }
    save()
    ledger.recordEvent({
      severity: 'info',
      code: 'driver-approved',
      message: `${name} (${sha256}) was approved and added.`,
    })
    known.set(name, driver)
    await tryDevices(driver)
    return row(driver)
  }

  const ownerOf = (deviceId: string): { driver: Known; device: DriverDevice } | null => {
    for (const driver of known.values()) {
      const device = driver.devices.find(({ id }) => deviceIdOf(driver.manifest.name, id) === deviceId)
      if (device) return { driver, device: { library: driver.library, id: device.id, memoryLimitBytes: 0 } }
    }
    return null
  }

  return {
    list: () => [...known.values()].map(row),
    inspect: async (path) => (await inspectDriver(path)).manifest,
    add: (path, sha256) => inTurn(() => add(path, sha256)),
    remove: (name) =>
      inTurn(async () => {
        find(name)
        await removeDriver(folder, name)
        known.delete(name)
        delete approvals[name]
        save()
        parts.onChange()
      }),
    retry: (name) =>
      inTurn(async () => {
        const driver = find(name)
        const approval = approvals[name]
        if (approval !== undefined) approvals[name] = { sha256: approval.sha256 }
        save()
        put(driver, 'checking')
        await look(driver)
        return row(driver)
      }),
    ready: () => {
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
            driver: row(driver),
            device,
            settings: settings[deviceIdOf(driver.manifest.name, device.id)],
            computerMemoryBytes,
          }),
        ),
      ),
    ownerOf: (deviceId) => {
      const owner = ownerOf(deviceId)
      return owner === null ? null : { driver: owner.driver.manifest.name, device: owner.device }
    },
    guardedHost: (deviceId) => ({
      start: async (program, start) => {
        const owner = ownerOf(deviceId)
        if (owner === null || owner.driver.state !== 'ready' || !(await isUnchanged(owner.driver))) {
          throw new Failure('device-unavailable', owner?.driver.reason ?? 'its driver was removed')
        }
        return host.start(program, start)
      },
    }),
    quarantine,
    stop: async () => {
      stopping.abort()
      await changes
    },
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
}
