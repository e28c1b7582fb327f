/** What electricity costs: energy is a measurement, money stays an integer. */

const JOULES_A_KILOWATT_HOUR = 3_600_000n

export interface ElectricityPrice {
  /** millionths of the currency's unit a kilowatt hour */
  micros: bigint
  currency: string
  /** a round number, used until the person says what theirs is */
  assumed: boolean
}

/** In millionths of the currency's unit, rounded to the nearest: joules / 3.6e6 × price. */
export function electricityCostMicros(joules: number, priceMicros: bigint): bigint {
  return divided(BigInt(Math.round(joules * 1000)) * priceMicros, JOULES_A_KILOWATT_HOUR * 1000n)
}

/** In billionths, for a single job: a joule costs less than a millionth. */
export function electricityCostNanos(joules: number, priceMicros: bigint): bigint {
  return divided(BigInt(Math.round(joules * 1000)) * priceMicros, JOULES_A_KILOWATT_HOUR)
}

function divided(amount: bigint, divisor: bigint): bigint {
  return (amount + divisor / 2n) / divisor
}
