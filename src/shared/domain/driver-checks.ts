/** What `lode drivers check` looks at, one after another. */
export const driverChecks = [
  'library',
  'describe',
  'open',
  'invalid-arguments',
  'vectors-itp1-test',
  'vectors-itp1-small',
  'vectors-itp1-base',
  'product',
  'batch-sizes',
  'cancellation',
  'out-of-memory',
  'open-close',
  'two-devices',
  'threads',
  'sensors',
  'power-limit',
  'determinism',
] as const
export type DriverCheckId = (typeof driverChecks)[number]

export interface DriverCheckResult {
  id: DriverCheckId
  ok: boolean
  /** what was seen, in words */
  detail: string
}

export interface DriverReport {
  ok: boolean
  checks: DriverCheckResult[]
  /** on the largest tier that it has memory for; null when it was not measured */
  macsPerSecond: number | null
}
