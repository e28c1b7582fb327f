/**
 * The live figures, once a second: rate, watts and work per joule of the last minute for the readouts, a sample for the
 * charts, and the joules of each device for the cost of its work.
 */
import type { LiveTick } from '#shared/contract/engine'
import { certaintyOfSum, type WorkEnergy } from '#shared/domain/energy'
import type { DeviceState } from '#shared/domain/states'
import type { Clock } from '#process/clock'
import type { Message } from '#shared/domain/messages'
import { createEnergyAccount, type DevicePower, type EnergyAccount } from './energy-account'
import type { ActivityShares, Metrics } from '../ledger'

const TICK_MILLISECONDS = 1000
const WINDOW_MILLISECONDS = 60_000
/** A mean over a shorter time is not shown: it varies too much. */
const SHORTEST_MEAN_MILLISECONDS = 10_000

/** The share of a device's time that must have known joules. If sensors start with the worker, the first second has none. */
const LEAST_KNOWN_SHARE = 0.8

/** A device, as far as its live figures are concerned. */
export interface LiveDevice {
  readonly deviceId: string
  readonly state: DeviceState
  readonly activity: Message | null
  readonly lane: keyof ActivityShares
  readonly runningJobs: readonly unknown[]
  /** milliseconds in each lane since the last call */
  takeLaneTimes(): ActivityShares
}

interface Second {
  at: number
  milliseconds: number
  credit: number
  macs: number
  joules: number
  measuredJoules: number
  knownMilliseconds: number
  shares: ActivityShares
}

interface Account {
  runner: LiveDevice
  pendingMacs: number
  pendingCredit: number
  energy: EnergyAccount
  window: Second[]
}

export interface Live {
  add(runner: LiveDevice): void
  remove(deviceId: string): void
  /** Adds work that a device has done, with its expected credit in MACs. */
  onWork(deviceId: string, work: { macs: bigint; creditMacs: number }): void
  /** Joules of a device since the engine started; null where nothing is known. */
  energyNow(deviceId: string): WorkEnergy | null
  readonly lastTick: LiveTick | null
  /** Means of one device over the last minute; null until there are ten seconds of it. */
  rate(deviceId: string): { macsPerSecond: number | null; macsPerJoule: number | null }
  /** Forgets the last minute: called when mining starts, so that an idle hour does not dilute the means. */
  reset(): void
  stop(): void
}

export function createLive(options: {
  clock: Clock
  metrics: Metrics
  power: (deviceId: string) => DevicePower
  isMining: () => boolean
  onTick: (tick: LiveTick) => void
}): Live {
  const { clock } = options
  const accounts = new Map<string, Account>()
  let lastTick: LiveTick | null = null
  let lastAt = clock.monotonic()
  let timer: { cancel(): void }

  const mean = (window: readonly Second[], of: 'credit' | 'macs'): number | null => {
    const milliseconds = window.reduce((sum, second) => sum + second.milliseconds, 0)
    if (milliseconds < SHORTEST_MEAN_MILLISECONDS) return null
    return (window.reduce((sum, second) => sum + second[of], 0) * 1000) / milliseconds
  }
  /** Work per joule over the seconds whose energy is known; null: these are too little of a device's time. */
  const perJoule = (windows: readonly (readonly Second[])[]): number | null => {
    const span = (window: readonly Second[]): number => window.reduce((sum, second) => sum + second.milliseconds, 0)
    const known = windows.map((window) => window.filter(isKnown))
    if (Math.max(0, ...known.map(span)) < SHORTEST_MEAN_MILLISECONDS) return null
    if (windows.some((window, index) => span(known[index] ?? []) < span(window) * LEAST_KNOWN_SHARE)) return null
    const joules = known.flat().reduce((sum, second) => sum + second.joules, 0)
    return joules <= 0 ? null : known.flat().reduce((sum, second) => sum + second.credit, 0) / joules
  }

  const closeSecond = (account: Account, at: number, milliseconds: number): Second => {
    const { joules, measuredJoules, knownMilliseconds } = account.energy.take()
    const second: Second = {
      at,
      milliseconds,
      credit: account.pendingCredit,
      macs: account.pendingMacs,
      joules,
      measuredJoules,
      knownMilliseconds: Math.min(milliseconds, knownMilliseconds),
      shares: sharesOf(account.runner.takeLaneTimes()),
    }
    account.pendingCredit = 0
    account.pendingMacs = 0
    return second
  }

  const tick = (): void => {
    const monotonic = clock.monotonic()
    // A computer that slept did not mine: the gap counts as one interval of usual length.
    const milliseconds = Math.min(monotonic - lastAt, 5 * TICK_MILLISECONDS)
    lastAt = monotonic
    const active = options.isMining() || [...accounts.values()].some(({ runner }) => runner.runningJobs.length > 0)
    const at = clock.now()
    for (const account of accounts.values()) {
      const second = closeSecond(account, monotonic, milliseconds)
      if (!active) continue
      account.window.push(second)
      while (account.window[0] && monotonic - account.window[0].at >= WINDOW_MILLISECONDS) account.window.shift()
    }
    if (active) publish(at, milliseconds)
    timer = clock.setTimeout(tick, TICK_MILLISECONDS)
  }

  const publish = (at: number, milliseconds: number): void => {
    const all = [...accounts.values()]
    const working = all.filter(({ runner }) => runner.state !== 'idle' && runner.state !== 'faulted')
    const powers = working.map(({ runner }) => options.power(runner.deviceId))
    const known = powers.flatMap(({ watts, certainty }) =>
      watts === null || certainty === null ? [] : [{ amount: watts, certainty }],
    )
    options.metrics.append({
      at,
      milliseconds,
      devices: all.map((account) => {
        const second = account.window.at(-1)
        return {
          deviceId: account.runner.deviceId,
          activity: account.runner.lane,
          shares: second?.shares ?? { [account.runner.lane]: 1 },
          macs: second?.macs ?? 0,
          creditMacs: second?.credit ?? 0,
          joules: second === undefined || second.knownMilliseconds === 0 ? null : second.joules,
          measuredJoules: second?.measuredJoules ?? 0,
        }
      }),
    })
    lastTick = {
      at,
      creditMacsPerSecond: working.length === 0 ? null : sumKnown(all.map(({ window }) => mean(window, 'credit'))),
      watts:
        known.length < powers.length || powers.length === 0 ? null : known.reduce((sum, { amount }) => sum + amount, 0),
      wattsCertainty: certaintyOfSum(known),
      macsPerJoule: perJoule(working.map(({ window }) => window)),
      devices: all.map(({ runner, window }) => {
        const power = options.power(runner.deviceId)
        return {
          id: runner.deviceId,
          macsPerSecond: mean(window, 'macs'),
          watts: power.watts,
          wattsCertainty: power.certainty,
          temperatureCelsius: power.temperatureCelsius,
          macsPerJoule: perJoule([window]),
          activity: runner.activity,
        }
      }),
    }
    options.onTick(lastTick)
  }
  timer = clock.setTimeout(tick, TICK_MILLISECONDS)

  return {
    add: (runner) => {
      const known = accounts.get(runner.deviceId)
      if (known) known.runner = runner
      else
        accounts.set(runner.deviceId, {
          runner,
          pendingMacs: 0,
          pendingCredit: 0,
          energy: createEnergyAccount(clock, () => options.power(runner.deviceId)),
          window: [],
        })
    },
    remove: (deviceId) => void accounts.delete(deviceId),
    onWork: (deviceId, work) => {
      const account = accounts.get(deviceId)
      if (!account) return
      account.pendingMacs += Number(work.macs)
      account.pendingCredit += work.creditMacs
    },
    energyNow: (deviceId) => accounts.get(deviceId)?.energy.now() ?? null,
    get lastTick() {
      return lastTick
    },
    rate: (deviceId) => {
      const window = accounts.get(deviceId)?.window ?? []
      return { macsPerSecond: mean(window, 'macs'), macsPerJoule: perJoule([window]) }
    },
    reset: () => {
      lastTick = null
      for (const account of accounts.values()) account.window = []
    },
    stop: () => timer.cancel(),
  }
}

/** Milliseconds a lane as shares that add up to 1; all 0 where no time passed. */
function sharesOf(times: ActivityShares): ActivityShares {
  const all = Object.values(times).reduce((sum, milliseconds) => sum + milliseconds, 0)
  return Object.fromEntries(
    Object.entries(times).map(([lane, milliseconds]) => [lane, all > 0 ? milliseconds / all : 0]),
  )
}

/** Whether the energy of the whole second is known, but for the moments between two looks at the clock. */
function isKnown({ milliseconds, knownMilliseconds }: Second): boolean {
  return knownMilliseconds >= milliseconds * 0.9
}

function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}
