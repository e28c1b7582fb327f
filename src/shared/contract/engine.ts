/** Mining itself: state, start, stop, and what Home shows. */
import { z } from 'zod'
import { messageSchema } from '#shared/domain/messages'
import { certainty, decimal, energy, money, nothing, period } from './common'
import { jobKind } from '#shared/domain/job'
import { deviceSummary } from './devices'
import { tierName } from '#shared/domain/tiers'
import { procedure } from './rpc'
import { pace, throttleLevelName } from './throttle'

/** Why mining that was asked for does not run. Flags that stack. */
export const pauseCause = z.enum(['manual', 'network', 'practice-hour', 'no-device', 'ledger', 'heat', 'throttle'])
export type PauseCause = z.infer<typeof pauseCause>

export const miningState = z.enum(['stopped', 'starting', 'mining', 'paused', 'finishing', 'faulted'])
export type MiningState = z.infer<typeof miningState>

export const notice = z.object({
  id: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  title: messageSchema,
  /** null: the title says all */
  detail: messageSchema.nullable(),
  /** what the button does, if there is one */
  action: z.enum(['retry-device', 'keep-going', 'open-devices', 'open-settings']).optional(),
  deviceId: z.string().optional(),
})
export type Notice = z.infer<typeof notice>

export const engineStatus = z.object({
  version: z.string(),
  pid: z.number().int(),
  state: miningState,
  pausedBecause: z.array(pauseCause),
  /** UTC ms when mining began; null: it does not mine */
  since: z.number().nullable(),
  /** UTC ms when practice stops by itself; null: it does not */
  stopsAt: z.number().nullable(),
  /** number of jobs still to be finished while `finishing` */
  finishingJobs: z.number().int(),
  network: z.object({
    name: z.string(),
    hasMarketValue: z.boolean(),
    epoch: z.object({ number: z.number().int(), startsAt: z.number(), endsAt: z.number() }).nullable(),
  }),
  rig: z.object({ name: z.string(), key: z.string() }),
  dataDir: z.string(),
  /** `held`: waits for a check, and is in none of the others */
  creditMacs: z.object({ epoch: decimal, today: decimal, total: decimal, held: decimal }),
  credits: z.number().int(),
  devices: z.array(deviceSummary),
  /** why the rig proves capacity although a useful job would earn more; null: it proves nothing, or works on a job */
  noJobs: z
    .object({ reason: z.enum(['no-model', 'no-work', 'samples-off']), missingKinds: z.array(jobKind) })
    .nullable(),
  /** the present level, and its shares of threads and of time */
  throttle: pace.extend({ level: throttleLevelName }),
  notices: z.array(notice),
})
export type EngineStatus = z.infer<typeof engineStatus>

/** One second of mining, for the readouts and the chart; at most 4 a second. */
export const liveTick = z.object({
  at: z.number(),
  /** credit per second over the last minute, MAC/s; null before the first 10 s */
  creditMacsPerSecond: z.number().nullable(),
  watts: z.number().nullable(),
  wattsCertainty: certainty.nullable(),
  macsPerJoule: z.number().nullable(),
  devices: z.array(
    z.object({
      id: z.string(),
      macsPerSecond: z.number().nullable(),
      watts: z.number().nullable(),
      wattsCertainty: certainty.nullable(),
      temperatureCelsius: z.number().nullable(),
      macsPerJoule: z.number().nullable(),
      /** what it is doing; null: nothing */
      activity: messageSchema.nullable(),
    }),
  ),
})
export type LiveTick = z.infer<typeof liveTick>

export const todaySummary = z.object({
  creditMacs: decimal,
  shares: z.number().int(),
  jobs: z.number().int(),
  energy,
  electricityCost: money.nullable(),
  /** assumed until the person sets it */
  pricePerKilowattHour: money.extend({ assumed: z.boolean() }),
  net: money.nullable(),
  /** what an hour of mining is expected to cost: every usable device at full load; null where no power is known */
  expectedCostPerHour: money.nullable(),
  miningSeconds: z.number(),
})
export type TodaySummary = z.infer<typeof todaySummary>

export const historyPoint = z.object({
  at: z.number(),
  creditMacsPerSecond: z.number().nullable(),
  watts: z.number().nullable(),
  wattsMeasured: z.number().nullable(),
})
export type HistoryPoint = z.infer<typeof historyPoint>
export const laneSpan = z.object({
  deviceId: z.string(),
  activity: z.enum(['chat', 'embed', 'ocr', 'proof', 'paused']),
  from: z.number(),
  to: z.number(),
})
export type LaneSpan = z.infer<typeof laneSpan>
export const history = z.object({
  period,
  from: z.number(),
  to: z.number(),
  /** milliseconds between points; a null value is a gap */
  step: z.number(),
  points: z.array(historyPoint),
  lanes: z.array(laneSpan),
  pauses: z.array(z.object({ from: z.number(), to: z.number(), cause: z.string() })),
})
export type History = z.infer<typeof history>

/** Options of one run; an absent option follows the settings. */
export const startOptions = z.object({
  tier: tierName.optional(),
  backend: z.string().max(40).optional(),
  /** only these devices */
  devices: z.array(z.string().max(100)).optional(),
  threads: z.number().int().min(1).max(1024).optional(),
  samples: z.boolean().optional(),
  /** false: this run fetches no models, whatever the settings say */
  fetchModels: z.boolean().optional(),
})
export type StartOptions = z.infer<typeof startOptions>

export const engineProcedures = {
  'engine.status': procedure(nothing, engineStatus),
  'engine.start': procedure(startOptions.nullable(), engineStatus),
  /** `finish`: complete running jobs first */
  'engine.stop': procedure(z.object({ finish: z.boolean() }), engineStatus),
  /** practice goes on beyond its hour */
  'engine.keepGoing': procedure(z.object({ keepGoing: z.boolean() }), engineStatus),
  /** from the shell: seconds since the person last touched the computer */
  'engine.presence': procedure(z.object({ idleSeconds: z.number().min(0) }), nothing),
  'engine.today': procedure(nothing, todaySummary),
  'engine.history': procedure(z.object({ period }), history),
  /** ends the engine process itself (the command line's and the shell's, not a screen's button) */
  'engine.quit': procedure(nothing, nothing),
}
export const engineEvents = {
  'engine.status': engineStatus,
  'engine.live': liveTick,
}
