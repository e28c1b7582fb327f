import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { BenchmarkRow } from '#shared/contract/devices'
import type { BenchmarkProgress } from '#shared/domain/benchmark'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { TierName } from '#shared/domain/tiers'
import type { BackendName } from '#shared/domain/backend'
import type { CommandContext } from '../command-context'
import { rateText } from '../figures'
import { EXIT_DONE, EXIT_FAILED, type Output } from '../output'
import { withSession, type EngineSession } from '../session'
import { verifyBenchmark } from './bench-verify'

export interface BenchOptions {
  device?: string
  backend?: BackendName
  tier?: TierName
  seconds?: number
  /** minutes */
  stress?: number
  history?: boolean
  export?: string
  verify?: string
}

/** `lode bench`: measures a device; 1 where it computes wrong results or a stress test did not come to its end. */
export async function bench(context: CommandContext, options: BenchOptions): Promise<number> {
  refuseContradictions(options)
  if (options.verify !== undefined) return verifyBenchmark(context.output, resolve(options.verify), options.backend)
  return withSession(context.dataDir, (session) =>
    options.history === true ? history(context.output, session, options) : measure(context.output, session, options),
  )
}

function refuseContradictions(options: BenchOptions): void {
  const { stress, seconds, history: wantsHistory, export: file, verify } = options
  if (stress !== undefined && seconds !== undefined)
    throw new Failure('wrong-usage', message('options-stress-or-seconds'))
  const modes = [
    stress !== undefined || seconds !== undefined || file !== undefined,
    wantsHistory,
    verify !== undefined,
  ]
  if (modes.filter(Boolean).length > 1) throw new Failure('wrong-usage', message('options-bench-modes'))
}

async function measure(output: Output, { client }: EngineSession, options: BenchOptions): Promise<number> {
  const id = options.device ?? 'cpu0'
  client.on('devices.changed', (devices) => {
    const progress = devices.find((device) => device.id === id)?.benchmark
    if (progress) showProgress(progress)
  })
  const cancel = (): void => {
    client.call('devices.cancelBenchmark', { id }).catch(() => undefined)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, cancel)
  try {
    const row = await client.call('devices.benchmark', {
      id,
      ...(options.backend === undefined ? {} : { backend: options.backend }),
      ...(options.tier === undefined ? {} : { tier: options.tier }),
      ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
      ...(options.stress === undefined ? {} : { stressMinutes: options.stress }),
    })
    endProgress()
    if (options.export !== undefined && row.checksum === 'ok') {
      const signed = await client.call('devices.exportBenchmark', { benchmarkId: row.id })
      await writeReport(resolve(options.export), signed)
      output.say(`Written to ${options.export}, signed with this rig's key.`)
    }
    output.answer(toAnswer(row), lines(row))
    return row.ended === 'time' ? EXIT_DONE : EXIT_FAILED
  } finally {
    endProgress()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, cancel)
  }
}

async function history(output: Output, { client }: EngineSession, options: BenchOptions): Promise<number> {
  const rows = await client.call('devices.benchmarks', options.device === undefined ? {} : { id: options.device })
  const line = (row: BenchmarkRow): string =>
    [
      new Date(row.at).toISOString(),
      row.deviceId,
      row.backend,
      row.tier,
      row.mode,
      row.noncesPerSecond === 0 ? '–' : rate(row),
      row.macsPerJoule === null
        ? 'work per joule not known'
        : `${giga(row.macsPerJoule)} GMAC/J ${row.wattsCertainty ?? ''}`.trim(),
      row.checksum === 'ok' ? 'checksum ok' : 'wrong results',
    ].join('  ')
  output.answer(rows.map(toAnswer), rows.length === 0 ? 'Nothing was measured yet.' : rows.map(line))
  return EXIT_DONE
}

async function writeReport(file: string, signed: unknown): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(signed, null, 2)}\n`)
  } catch (error) {
    throw new Failure('data-folder', message('bench-file-not-written', { file, words: String(error) }))
  }
}

/** Fields that are not known are left out. */
function toAnswer(row: BenchmarkRow): Record<string, unknown> {
  const { deviceId, at, ...rest } = row
  const answer = { device: deviceId, at: new Date(at).toISOString(), ...rest }
  return Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== null))
}

const giga = (value: number): string => (value / 1e9).toPrecision(3)
const rate = (row: BenchmarkRow): string => rateText(row.macsPerSecond)

function lines(row: BenchmarkRow): string[] {
  const conditions = [
    row.threads === null ? '' : `${row.threads} threads`,
    row.clockHertz === null ? '' : `${(row.clockHertz / 1e9).toPrecision(3)} GHz`,
    row.temperatureCelsius === null ? '' : `${Math.round(row.temperatureCelsius)} °C at most`,
    row.powerLimitWatts === null ? '' : `power limit ${Math.round(row.powerLimitWatts)} W`,
    row.driver ?? '',
  ].filter((text) => text !== '')
  const power =
    row.watts === null
      ? `Power not available: ${row.wattsSource}`
      : `${row.watts.toPrecision(3)} W ${row.wattsCertainty ?? ''} (${row.wattsSource})${row.macsPerJoule === null ? '' : `, ${giga(row.macsPerJoule)} GMAC/J`}`
  const measured =
    row.noncesPerSecond === 0
      ? 'Not measured.'
      : `${rate(row)}, ${row.noncesPerSecond.toPrecision(3)} nonces/s: median of ${row.samples} samples${row.spread === null ? '' : `, half of them within ${(row.spread * 100).toPrecision(2)} %`}`
  return [
    `${row.deviceId}, ${row.backend}, ${row.tier}: ${measured}`,
    ...(conditions.length === 0 ? [] : [conditions.join(', ')]),
    power,
    ...(row.mode === 'stress'
      ? [`${row.noncesChecked} digests checked in ${Math.round((row.milliseconds ?? 0) / 1000)} s.`]
      : []),
    ...(row.ended === 'too-hot' ? ['Stopped: it was too hot to go on.'] : []),
    row.checksum === 'ok'
      ? `Checksum ok (${(row.checksumSha256 ?? '').slice(0, 8)}): this device computes correctly.`
      : `Checksum mismatch: this device computes wrong results (nonce ${row.wrongNonce ?? ''}). It is quarantined; "lode devices retry ${row.deviceId}" tries it again.`,
  ]
}

const PHASES: Record<BenchmarkProgress['phase'], string> = {
  preparing: 'Preparing the weights',
  checking: 'Checking known digests',
  'warming-up': 'Warming up',
  measuring: 'Measuring',
}

/** On a terminal only: one line that is written over. */
function showProgress(progress: BenchmarkProgress): void {
  if (!process.stderr.isTTY) return
  const { phase, endsAt, macsPerSecond } = progress
  const milliseconds = endsAt === null ? progress.milliseconds : endsAt - Date.now()
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  const speed = macsPerSecond === null ? '' : `, ${rateText(macsPerSecond)}`
  process.stderr.write(`\r\u001b[K${PHASES[phase]}${speed}, ${seconds} s left`)
}
function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
}
