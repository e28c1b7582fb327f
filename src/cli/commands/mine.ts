import type { CreditRow } from '#shared/contract/earnings'
import type { EngineStatus, StartOptions } from '#shared/contract/engine'
import type { WorkRow } from '#shared/contract/jobs'
import { Failure } from '#shared/domain/errors'
import { inEnglish } from '#shared/domain/messages'
import type { TierName } from '#shared/domain/tiers'
import type { EngineClient } from '../client'
import { connectInProcess } from '../client'
import { hostEngine, type HostedEngine } from '#host/engine-host'
import { afterMilliseconds } from '../long-timer'
import type { CommandContext } from '../command-context'
import type { Output } from '../output'
import { attach } from '../session'
import { byteText, macText } from '../figures'
import { createDownloadLines } from './download-lines'
import { isMining } from './status'

export interface MineOptions {
  network: 'practice'
  for?: number
  maxCredits?: number
  tier?: TierName
  devices?: string[]
  backend?: string
  threads?: number
  port?: number
  dashboard: boolean
  synthetic: boolean
  fetch: boolean
  epochSeconds?: number
}

/** What a job used: "chat done: 62 tokens, 3.2 s, 12.4 J". */
function jobWords(
  kind: string,
  { joules, milliseconds, tokens }: Pick<WorkRow, 'joules' | 'milliseconds' | 'tokens'>,
): string {
  const figures = [
    ...(tokens === null ? [] : [`${tokens.input + tokens.output} tokens`]),
    ...(milliseconds === null ? [] : [`${(milliseconds / 1000).toPrecision(3)} s`]),
    ...(joules === null ? [] : [`${joules.toPrecision(3)} J`]),
  ]
  return `${kind} done${figures.length === 0 ? '' : `: ${figures.join(', ')}`}`
}

type StopReason = 'time' | 'credits' | 'signal' | 'stopped' | 'practice-hour' | 'engine-gone' | 'faulted'

/** "share accepted: 1.3 TMAC (recomputed)"; null: nothing to say. */
function creditWords({ kind, state, creditMacs, verification }: CreditRow): string | null {
  if (state === 'accepted') return `${kind} accepted: ${macText(creditMacs)} (${verification})`
  if (state === 'held') return `${kind} held until it is checked: ${macText(creditMacs)}`
  return state === 'forfeited' ? `${kind} forfeited: ${macText(creditMacs)}` : null
}

/** `lode mine`: an engine of its own, or the running one of the data folder. */
export async function mine({ output, dataDir }: CommandContext, options: MineOptions): Promise<void | number> {
  const running = await attach(dataDir).catch(() => null)
  if (running !== null) {
    output.say(`An engine runs already (process ${running.runningPid}); this follows it.`)
    const reason = await follow(running.client, output, options, dataDir, null)
    await running.close()
    return reason === 'faulted' ? 1 : 0
  }
  const hosted = await hostEngine({
    dataDir,
    port: options.port ?? 0,
    dashboard: options.dashboard,
    ...(options.epochSeconds === undefined ? {} : { epochSeconds: options.epochSeconds }),
    allowTestTier: options.tier === 'itp1-test',
  })
  try {
    const client = connectInProcess(hosted.engine.api, hosted.logFault)
    const link = options.dashboard ? hosted.server.link : null
    if (link !== null) output.say(`Screens: ${link}`)
    const reason = await follow(client, output, options, dataDir, { link, hosted })
    return reason === 'faulted' ? 1 : 0
  } finally {
    await hosted.close()
  }
}

/** `lode serve`: the engine and its screens; ends by a signal or `engine.quit`. */
export async function serve({ output, dataDir }: CommandContext, options: { port?: number }): Promise<void> {
  const hosted = await hostEngine({ dataDir, port: options.port ?? 0, dashboard: true })
  try {
    output.answer({ link: hosted.server.link, dataDir, pid: process.pid }, hosted.server.link)
    await new Promise<void>((resolve) => {
      hosted.engine.onQuitRequested(resolve)
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
    })
  } finally {
    await hosted.close()
  }
}

function startOptions(options: MineOptions): StartOptions {
  return {
    samples: options.synthetic,
    ...(options.fetch ? {} : { fetchModels: false }),
    ...(options.tier === undefined ? {} : { tier: options.tier }),
    ...(options.backend === undefined ? {} : { backend: options.backend }),
    ...(options.devices === undefined ? {} : { devices: options.devices }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  }
}

/** Prints what happens until mining ends, and says why it ended. */
async function follow(
  client: EngineClient,
  output: Output,
  options: MineOptions,
  dataDir: string,
  own: { link: string | null; hosted: HostedEngine } | null,
): Promise<StopReason> {
  let accepted = 0
  let resolveEnd: (reason: StopReason) => void = () => undefined
  const end = new Promise<StopReason>((resolve) => {
    resolveEnd = resolve
  })
  // "started" is printed first, once the engine has started: events that come before are printed after it.
  let early: (() => void)[] | null = []
  /** "stopped" is the last line: what an engine that ends still says comes too late. */
  let isOver = false
  const event = (name: string, data: Record<string, unknown>, text: string | null): void => {
    if (isOver) return
    isOver = name === 'stopped'
    const line = { event: name, at: new Date().toISOString(), ...data }
    if (early !== null && name !== 'started') early.push(() => output.line(line, text))
    else output.line(line, text)
  }

  const before = await client.call('engine.status', null)

  const deviceLines = new Map<string, string>()
  const modelLines = createDownloadLines()
  client.on('devices.changed', (devices) => {
    for (const { id, state, macsPerSecond, activity } of devices) {
      const words = activity === null ? '' : inEnglish.text(activity)
      if (deviceLines.get(id) === state + words) continue
      deviceLines.set(id, state + words)
      event('device', { id, state, macsPerSecond }, words === '' ? null : `${id}: ${words}`)
    }
  })
  client.on('share.changed', ({ nonce, tier, state, code }) =>
    event('share', { nonce, tier, state, ...(code === undefined ? {} : { code }) }, null),
  )
  client.on('job.changed', (job) => {
    if (job.kind === 'proof') return
    const { id, kind, state, joules, milliseconds, tokens } = job
    const spent = {
      ...(joules === null ? {} : { joules }),
      ...(milliseconds === null ? {} : { milliseconds }),
    }
    event(
      'job',
      { id, kind, state, ...spent },
      state === 'accepted' ? jobWords(kind, { joules, milliseconds, tokens }) : null,
    )
  })
  client.on('credit.changed', (credit) => {
    const { id, kind, macs: work, creditMacs, device, state, verification } = credit
    event('credit', { id, kind, macs: work, creditMacs, device, state, verification }, creditWords(credit))
    if (state === 'accepted') {
      accepted++
      if (options.maxCredits !== undefined && accepted >= options.maxCredits) resolveEnd('credits')
    }
  })
  client.on('models.download', (download) => {
    const { id, state, bytesDone, bytes, bytesPerSecond, secondsLeft } = download
    const text = modelLines.changed(download)
    event('model', { id, state, bytesDone, bytes, bytesPerSecond, secondsLeft }, text)
  })
  if (options.fetch) await sayWhatIsFetched(client, output)
  let started = false
  client.on('engine.status', (now) => {
    if (!started) return
    if (now.state === 'faulted') resolveEnd('faulted')
    else if (!isMining(now) && now.state === 'stopped')
      resolveEnd(now.pausedBecause.includes('practice-hour') ? 'practice-hour' : 'stopped')
  })
  client.onClose(() => resolveEnd('engine-gone'))

  const onSignal = (): void => resolveEnd('signal')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, onSignal)
  own?.hosted.engine.onQuitRequested(() => resolveEnd('stopped'))
  // A closed pipe (`lode mine | head`) ends mining as a signal would.
  process.stdout.on('error', onSignal)

  await client.call('engine.start', startOptions(options))
  event(
    'started',
    { rig: before.rig.key, network: before.network.name, dataDir, dashboard: own?.link ?? null },
    `Mining on ${before.network.name}. No market value.`,
  )
  for (const print of early) print()
  early = null
  started = true
  const timer = options.for === undefined ? undefined : afterMilliseconds(options.for * 1000, () => resolveEnd('time'))
  const reason = await end
  timer?.cancel()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal)

  // Mining that somebody else started goes on, also where it is paused or faulted.
  const stops = own !== null || before.state === 'stopped'
  const after = reason === 'engine-gone' ? null : await ending(client, stops)
  if (after !== null) {
    event(
      'stopped',
      { reason, creditMacs: after.creditMacs.total, credits: after.credits },
      `Stopped (${reason}). ${after.credits} credits, ${macText(after.creditMacs.total)} in all. Practice, no market value.`,
    )
  } else event('stopped', { reason, creditMacs: null, credits: null }, 'The engine went away.')
  return reason
}

/** Before the first request: says which models mining is about to fetch, and how to mine without them. */
async function sayWhatIsFetched(client: EngineClient, output: Output): Promise<void> {
  const { plan } = await client.call('models.catalogue', null)
  if (!plan.allowed || plan.models.length === 0) return
  const names = plan.models.map(({ name, bytes }) => `${name} (${byteText(bytes)})`).join(' and ')
  output.say(
    `Fetching ${names} in the background, ${byteText(plan.bytes)} in all; mining goes on meanwhile. --no-fetch mines without it.`,
  )
}

/** The engine's last status, after mining was stopped if `stops`. */
async function ending(client: EngineClient, stops: boolean): Promise<EngineStatus> {
  try {
    return stops ? await client.call('engine.stop', { finish: false }) : await client.call('engine.status', null)
  } catch (error) {
    if (error instanceof Failure && error.code === 'unavailable') return client.call('engine.status', null)
    throw error
  }
}
