/** Figures that Home draws from the history and the status. */
import type { EngineStatus, History } from '#shared/contract/engine'
import type { DeviceSummary } from '#shared/contract/devices'
import type { IconName } from '../../ui/icons'

export function isRunning(status: EngineStatus): boolean {
  return status.state === 'mining' || status.state === 'starting' || status.state === 'finishing'
}

const KIND_ICONS: Record<DeviceSummary['kind'], IconName> = {
  cpu: 'square',
  gpu: 'triangle',
  npu: 'disc',
  asic: 'square',
  fpga: 'square',
  other: 'disc',
}
export function deviceIcon(kind: DeviceSummary['kind']): IconName {
  return KIND_ICONS[kind]
}

const PERIOD_WORDS: Record<History['period'], string> = { '1h': '1 h', '3h': '3 h', '24h': '24 h', '7d': '7 d' }
export function periodWords(period: History['period']): string {
  return PERIOD_WORDS[period]
}

/** Lowest and highest work per joule of the history, without the outermost twentieth on each side. Null under 10 points. */
export function efficiencyBand(history: History | undefined): { from: number; to: number; period: string } | null {
  if (!history) return null
  const values = history.points
    .flatMap(({ creditMacsPerSecond, watts }) => (creditMacsPerSecond && watts ? [creditMacsPerSecond / watts] : []))
    .toSorted((a, b) => a - b)
  const from = values[Math.floor(values.length * 0.05)]
  const to = values[Math.ceil(values.length * 0.95) - 1]
  if (values.length < 10 || from === undefined || to === undefined) return null
  return { from, to, period: periodWords(history.period) }
}

/** Means over the points that exist; work per joule as the quotient of the sums. Null under 10 points. */
export function historyMean(history: History | undefined): {
  macsPerSecond: number | null
  macsPerJoule: number | null
  period: string
} {
  const period = periodWords(history?.period ?? '3h')
  const rates = (history?.points ?? []).flatMap((point) =>
    point.creditMacsPerSecond === null ? [] : [point.creditMacsPerSecond],
  )
  const both = (history?.points ?? []).filter((point) => point.creditMacsPerSecond !== null && point.watts !== null)
  const work = both.reduce((sum, point) => sum + (point.creditMacsPerSecond ?? 0), 0)
  const power = both.reduce((sum, point) => sum + (point.watts ?? 0), 0)
  return {
    period,
    macsPerSecond: rates.length < 10 ? null : rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
    macsPerJoule: both.length < 10 || power === 0 ? null : work / power,
  }
}
