/**
 * What a device's accepted shares show that it computes. A rig states its own rate when it leases a unit, and the rate
 * decides the difficulty: without a floor, who states next to nothing has every nonce of its own recomputed.
 */
import type { TierName } from '#shared/domain/tiers'

/** Fewer shares of one unit say too little: their number is chance. */
const ENOUGH_SHARES = 16
/** A rate is believed down to this part of what was observed: devices are throttled, and shares come by chance. */
const FLOOR_PART = 1 / 4
/** An older observation says nothing about a device's present rate. */
const MEMORY_MILLISECONDS = 600_000
/** Units and devices that are remembered at once, the oldest forgotten first. */
const MOST_REMEMBERED = 10_000

export interface DeviceOfRig {
  rig: string
  /** the rig's own name of it */
  device: string
  tier: TierName
}
interface UnitNumber {
  epoch: number
  unit: number
}

export interface ObservedRates {
  /** A unit was leased now. */
  leased(unit: UnitNumber, device: DeviceOfRig): void
  /** A share of this unit was accepted now. `macs`: what it stands for. */
  accepted(unit: UnitNumber, macs: bigint): void
  /** MACs per second below which this device's difficulty is not set; 0: nothing is known. */
  floor(device: DeviceOfRig): number
}

/** In memory: a coordinator that restarts observes anew. */
export function createObservedRates(clock: { now(): number }): ObservedRates {
  const units = new Map<string, { device: string; leasedAt: number; macs: number; shares: number }>()
  const rates = new Map<string, { macsPerSecond: number; at: number }>()
  const unitKey = ({ epoch, unit }: UnitNumber): string => `${epoch}/${unit}`
  const deviceKey = ({ rig, device, tier }: DeviceOfRig): string => `${rig}/${tier}/${device}`
  return {
    leased: (unit, device) => {
      remember(units, unitKey(unit), { device: deviceKey(device), leasedAt: clock.now(), macs: 0, shares: 0 })
    },
    accepted: (unit, macs) => {
      const known = units.get(unitKey(unit))
      if (!known) return
      known.macs += Number(macs)
      known.shares += 1
      const at = clock.now()
      // Since the lease, and not between arrivals: a rig that was offline sends an hour's shares at once.
      const seconds = Math.max(at - known.leasedAt, 1) / 1000
      if (known.shares >= ENOUGH_SHARES) remember(rates, known.device, { macsPerSecond: known.macs / seconds, at })
    },
    floor: (device) => {
      const known = rates.get(deviceKey(device))
      return known && clock.now() - known.at <= MEMORY_MILLISECONDS ? known.macsPerSecond * FLOOR_PART : 0
    },
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= MOST_REMEMBERED) break
    map.delete(oldest)
  }
}
