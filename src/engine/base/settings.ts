/** The person's settings: defaults, parsing, change. Stored in the ledger as one JSON value. */
import { z } from 'zod'
import { settings as settingsSchema, type Settings } from '#shared/contract/settings'
import { DEFAULT_THROTTLE } from '#shared/contract/throttle'
import { hex64 } from '#shared/domain/bytes'
import type { ElectricityPrice } from '#shared/domain/electricity'
import type { Ledger, LedgerReader } from '../ledger'

const SETTINGS_KEY = 'settings'
const DEVICE_KEY = 'devices'

/** Round numbers, used where the person does not know the price, and shown as assumed: millionths a kilowatt hour. */
const ASSUMED_PRICE_MICROS: Record<Settings['currency'], bigint> = {
  USD: 250_000n,
  EUR: 250_000n,
  GBP: 250_000n,
  CHF: 250_000n,
  CAD: 250_000n,
  AUD: 250_000n,
  JPY: 25_000_000n,
}

/** Settings of a new rig, named after the computer. */
export function defaultSettings(hostName: string): Settings {
  return {
    rigName: hostName.trim().slice(0, 60) || 'this rig',
    theme: 'system',
    pricePerKilowattHourMicros: null,
    currency: 'USD',
    practiceKeepGoing: false,
    samples: true,
    fetchModels: true,
    throttle: DEFAULT_THROTTLE,
  }
}

const NETWORK_KEYS = 'network-keys'
const networkKeysSchema = z.record(z.string(), z.array(hex64))

/** The keys that were pinned when this rig joined its networks, by network name; the key in force comes last. */
export function pinnedNetworkKeys(ledger: LedgerReader): Record<string, string[]> {
  return ledger.setting(NETWORK_KEYS, networkKeysSchema) ?? {}
}

/** Pins a network's key (hex) as the one in force. */
export function pinNetworkKey(ledger: Ledger, network: string, key: string): void {
  const pinned = pinnedNetworkKeys(ledger)
  // Former keys stay: receipts of the practice network stay valid when its key file had to be recreated.
  const former = (pinned[network] ?? []).filter((other) => other !== key)
  ledger.saveSetting(NETWORK_KEYS, { ...pinned, [network]: [...former, key] })
}

export interface SettingsStore {
  readonly current: Settings
  /** Stores a change and returns the new settings. */
  change(patch: Partial<Settings>): Settings
  device(id: string): DeviceSettings
  changeDevice(id: string, patch: Partial<DeviceSettings>): void
  readonly devices: Readonly<Record<string, DeviceSettings>>
}

export interface DeviceSettings {
  enabled: boolean
  /** absent: the default for this computer */
  threads?: number | undefined
  /** absent: the default for its kind */
  temperatureLimitCelsius?: number | undefined
  /** absent: Lode leaves the limit of the device as it is */
  powerLimitWatts?: number | undefined
  /** why it does not mine until the person retries: a stored message, or a sentence of an earlier version */
  quarantine?: string | undefined
  /** the graphics driver under which the matrix units failed; empty: not known. Under another driver they are tried again. */
  matrixUnitsFailedUnder?: string | undefined
}

const deviceSettingsSchema = z.record(
  z.string(),
  z.object({
    enabled: z.boolean(),
    threads: z.number().int().min(1).optional(),
    temperatureLimitCelsius: z.number().optional(),
    powerLimitWatts: z.number().positive().optional(),
    quarantine: z.string().optional(),
    matrixUnitsFailedUnder: z.string().optional(),
  }),
)

const NEW_DEVICE: DeviceSettings = { enabled: true }

/** Reads the settings from the ledger; settings that do not parse count as the defaults. */
export function openSettings(ledger: Ledger, hostName: string): SettingsStore {
  let current: Settings = { ...defaultSettings(hostName), ...readSettings(ledger) }
  const devices: Record<string, DeviceSettings> = { ...ledger.setting(DEVICE_KEY, deviceSettingsSchema) }
  return {
    get current() {
      return current
    },
    change: (patch) => {
      current = settingsSchema.parse({ ...current, ...patch })
      ledger.saveSetting(SETTINGS_KEY, current)
      return current
    },
    device: (id) => devices[id] ?? NEW_DEVICE,
    changeDevice: (id, patch) => {
      devices[id] = { ...(devices[id] ?? NEW_DEVICE), ...patch }
      ledger.saveSetting(DEVICE_KEY, devices)
    },
    devices,
  }
}

function readSettings(ledger: LedgerReader): Partial<Settings> {
  return ledger.setting(SETTINGS_KEY, settingsSchema.partial()) ?? {}
}

/** The price that costs are computed with, and whether it was assumed. */
export function electricityPrice({ pricePerKilowattHourMicros: price, currency }: Settings): ElectricityPrice {
  return price === null
    ? { micros: ASSUMED_PRICE_MICROS[currency], currency, assumed: true }
    : { micros: BigInt(price), currency, assumed: false }
}

/** The present price of electricity, for the ledger: the ledger is opened before the settings, which have the price. */
export interface Tariff {
  current: () => ElectricityPrice
  /** Sets the function that returns the price from now on. */
  follow(price: () => ElectricityPrice): void
}

export function createTariff(): Tariff {
  let price: () => ElectricityPrice = () => electricityPrice(defaultSettings(''))
  return {
    current: () => price(),
    follow: (source) => {
      price = source
    },
  }
}
