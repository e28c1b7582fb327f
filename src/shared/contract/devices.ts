import { z } from 'zod'
import { messageSchema } from '#shared/domain/messages'
import { certainty, nothing } from './common'
import { benchmarkProgress } from '#shared/domain/benchmark'
import { signedBenchmark } from '#shared/domain/benchmark-report'
import { decimal, hex64 } from '#shared/domain/bytes'
import { deviceState } from '#shared/domain/states'
import { tierName } from '#shared/domain/tiers'
import { procedure } from './rpc'

export const deviceKind = z.enum(['cpu', 'gpu', 'npu', 'asic', 'fpga', 'other'])
export type DeviceKind = z.infer<typeof deviceKind>

export const deviceSummary = z.object({
  id: z.string(),
  kind: deviceKind,
  name: z.string(),
  state: deviceState,
  /** what it is doing: "Proving capacity on itp1-base"; null: nothing */
  activity: messageSchema.nullable(),
  macsPerSecond: z.number().nullable(),
})
export type DeviceSummary = z.infer<typeof deviceSummary>

/** What a vendor's driver says of its device's power limit, in watts. */
export const powerLimit = z.object({
  minimumWatts: z.number(),
  maximumWatts: z.number(),
  /** the maker's own */
  defaultWatts: z.number(),
  /** as last read back from the device */
  currentWatts: z.number(),
  /** the limit that the person wants: set while the device mines, restored after; null: Lode leaves the device as it is */
  wantedWatts: z.number().nullable(),
})
export type PowerLimit = z.infer<typeof powerLimit>

export const device = deviceSummary.extend({
  backends: z.array(z.string()),
  /** the backend in use, or null */
  backend: z.string().nullable(),
  memoryBytes: z.number(),
  memoryUsedBytes: z.number().nullable(),
  /** models whose weights are in its memory, the one used last first; `bytes`: of its files */
  loadedModels: z.array(z.object({ hash: z.string(), name: z.string(), bytes: z.number() })),
  canMine: z.boolean(),
  /** why it cannot mine or was stopped */
  reason: messageSchema.optional(),
  enabled: z.boolean(),
  /** it computed wrongly, crashed or hung; `reason` says what. Does not mine until the person retries. */
  quarantined: z.boolean(),
  /** the benchmark under way */
  benchmark: benchmarkProgress.nullable(),
  detail: z.object({
    vendor: z.string(),
    cores: z.number().int().optional(),
    logicalCores: z.number().int().optional(),
    instructionSets: z.array(z.string()),
    driver: z.string().optional(),
    /** what `backend` uses of the device, in words; absent: only its driver knows */
    backendUses: z.string().optional(),
  }),
  /** CPU only */
  threads: z.object({ inUse: z.number().int(), maximum: z.number().int(), default: z.number().int() }).nullable(),
  watts: z.number().nullable(),
  wattsCertainty: certainty.nullable(),
  /** sensor or table row, in words */
  wattsSource: z.string(),
  /** counter: the device counts its joules itself; power: its watts are added up over time; null: they are not known */
  energyFrom: z.enum(['counter', 'power']).nullable(),
  macsPerJoule: z.number().nullable(),
  /** always measured; null: not available */
  temperatureCelsius: z.number().nullable(),
  /** the device pauses at this temperature and resumes 8 °C below it */
  temperatureLimitCelsius: z.number(),
  /** null: the device has none, or its driver was not asked yet */
  powerLimit: powerLimit.nullable(),
  restarts: z.number().int(),
})
export type Device = z.infer<typeof device>

/** `null`: not available, or not recorded by the version that measured. */
export const benchmarkRow = z.object({
  id: z.string(),
  at: z.number(),
  deviceId: z.string(),
  mode: z.enum(['benchmark', 'stress']),
  backend: z.string(),
  tier: tierName,
  /** medians of the samples; 0 where the device was found wrong before it was measured */
  noncesPerSecond: z.number(),
  macsPerSecond: z.number(),
  /** interquartile range of the samples over their median */
  spread: z.number().nullable(),
  samples: z.number().int(),
  milliseconds: z.number().nullable(),
  watts: z.number().nullable(),
  wattsCertainty: certainty.nullable(),
  wattsSource: z.string(),
  macsPerJoule: z.number().nullable(),
  /** the highest while measuring */
  temperatureCelsius: z.number().nullable(),
  clockHertz: z.number().nullable(),
  powerLimitWatts: z.number().nullable(),
  threads: z.number().int().nullable(),
  /** of the device, with its version */
  driver: z.string().nullable(),
  lodeVersion: z.string().nullable(),
  checksum: z.enum(['ok', 'mismatch']),
  /** SHA-256 over the digests of the golden file's nonces, as this device computed them */
  checksumSha256: hex64.nullable(),
  /** digests that were compared with known ones */
  noncesChecked: z.number().int(),
  ended: z.enum(['time', 'too-hot', 'wrong-digest']),
  /** of the benchmark epoch and key, the first whose digest was wrong */
  wrongNonce: decimal.nullable(),
})
export type BenchmarkRow = z.infer<typeof benchmarkRow>

const deviceId = z.object({ id: z.string().max(100) })

export const deviceProcedures = {
  'devices.list': procedure(nothing, z.array(device)),
  /** reads the inventory of the machine again */
  'devices.refresh': procedure(nothing, z.array(device)),
  'devices.configure': procedure(
    deviceId.extend({
      enabled: z.boolean().optional(),
      threads: z.number().int().min(1).max(1024).optional(),
      /** null: the default for its kind */
      temperatureLimitCelsius: z.number().min(40).max(110).nullable().optional(),
      /** within the device's range; null: Lode leaves the device as it is */
      powerLimitWatts: z.number().positive().max(100_000).nullable().optional(),
    }),
    device,
  ),
  /** closes the circuit of a faulted device, ends its quarantine */
  'devices.retry': procedure(deviceId, device),
  'devices.benchmark': procedure(
    deviceId.extend({
      backend: z.string().max(40).optional(),
      tier: tierName.optional(),
      seconds: z.number().min(1).max(120).optional(),
      /** a stress test instead: every digest is checked, and the temperature */
      stressMinutes: z.number().min(0.05).max(1440).optional(),
    }),
    benchmarkRow,
  ),
  /** The answer to `devices.benchmark` is then a failure `cancelled`. false: none is under way. */
  'devices.cancelBenchmark': procedure(deviceId, z.boolean()),
  /** Newest first; of one device, or of all. */
  'devices.benchmarks': procedure(z.object({ id: z.string().max(100).optional() }), z.array(benchmarkRow)),
  /** One result signed with the rig's key, with digests that anybody can recompute. */
  'devices.exportBenchmark': procedure(z.object({ benchmarkId: z.string().max(100) }), signedBenchmark),
}
export const deviceEvents = { 'devices.changed': z.array(device) }
