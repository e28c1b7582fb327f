/** Rate and power over one time axis, and below what each device did. */
import { Trans, useLingui } from '@lingui/react/macro'
import type { Period } from '#shared/contract/common'
import type { DeviceKind } from '#shared/contract/devices'
import type { History as HistoryData, LaneSpan } from '#shared/contract/engine'
import { laneBars } from '../../charts/lanes'
import { TimeChart } from '../../charts/TimeChart'
import type { Answer } from '../../data/answer'
import { useStore } from '../../data/store'
import { clock, dayClock, macScale, three, watts as wattsText } from '../../ui/format'
import { Empty, Loaded, Panel, Qualifier, Segmented } from '../../ui/parts'

interface HistoryProps {
  answer: Answer<HistoryData>
  period: Period
  onPeriod: (period: Period) => void
}

export function History({ answer, period, onPeriod }: HistoryProps) {
  const { t } = useLingui()
  const titles: Record<Period, string> = {
    '1h': t`Last hour`,
    '3h': t`Last 3 hours`,
    '24h': t`Last 24 hours`,
    '7d': t`Last 7 days`,
  }
  return (
    <Panel
      title={titles[period]}
      end={
        <Segmented
          label={t`Period`}
          value={period}
          onChange={onPeriod}
          choices={[
            { value: '1h', text: t`1 h` },
            { value: '3h', text: t`3 h` },
            { value: '24h', text: t`24 h` },
            { value: '7d', text: t`7 d` },
          ]}
        />
      }
    >
      <div className="in">
        <Loaded answer={answer}>
          {(history) =>
            history.points.some((point) => point.creditMacsPerSecond !== null) ? (
              <Charts history={history} />
            ) : (
              <Empty title={t`No readings yet`}>
                <Trans>Rate, power and what each device does appear here once mining starts.</Trans>
              </Empty>
            )
          }
        </Loaded>
      </div>
    </Panel>
  )
}

function Charts({ history }: { history: HistoryData }) {
  const { t } = useLingui()
  const scale = macScale(Math.max(0, ...history.points.map((point) => point.creditMacsPerSecond ?? 0)))
  const { divisor } = scale
  const unit = `${scale.unit}/s`
  const times = history.points.map((point) => point.at)
  const rates = history.points.map((point) =>
    point.creditMacsPerSecond === null ? null : point.creditMacsPerSecond / divisor,
  )
  const watts = history.points.map((point) => point.watts)
  const measured = history.points.map((point) => point.wattsMeasured)
  const anyWatts = watts.some((value) => value !== null)
  const allMeasured = watts.every((value, index) => value === null || value === measured[index])
  const anyMeasured = measured.some((value) => value !== null && value > 0)
  const series = allMeasured
    ? [{ values: watts, dashed: false }]
    : anyMeasured
      ? [
          { values: measured, dashed: false },
          { values: watts, dashed: true },
        ]
      : [{ values: watts, dashed: true }]
  const shared = { times, from: history.from, to: history.to, pauses: history.pauses }
  return (
    <div className="small history">
      <div className="cap2">
        <span>
          <b>
            <Trans>Rate</Trans>
          </b>
          , {unit}
        </span>
        <Qualifier certainty="measured">{t`measured`}</Qualifier>
      </div>
      <TimeChart
        {...shared}
        series={[{ values: rates, dashed: false }]}
        colour="work"
        axis={!anyWatts}
        height={anyWatts ? 92 : 150}
        label={t`Rate over the period, ${unit}; the table below has the values`}
      />
      {anyWatts ? (
        <>
          <div className="cap2">
            <span>
              <b>
                <Trans>Power</Trans>
              </b>
              , W
            </span>
            {anyMeasured && <Qualifier certainty="measured" />}
            {!allMeasured && (
              <Qualifier certainty="estimated">{anyMeasured ? t`estimated, on top` : undefined}</Qualifier>
            )}
          </div>
          <TimeChart
            {...shared}
            series={series}
            colour="cost"
            axis
            height={120}
            label={t`Power over the period, watts; the table below has the values`}
          />
        </>
      ) : (
        <p className="cap2">
          <Trans>No power reading on this computer.</Trans>
        </p>
      )}
      <Lanes history={history} />
      <HiddenTable history={history} divisor={divisor} unit={unit} />
    </div>
  )
}

const ACTIVITIES: readonly LaneSpan['activity'][] = ['chat', 'embed', 'ocr', 'proof', 'paused']

function Lanes({ history }: { history: HistoryData }) {
  const { t } = useLingui()
  const devices = useStore((state) => state.devices) ?? []
  const ids = [...new Set(history.lanes.map((lane) => lane.deviceId))]
  if (ids.length === 0) return <div />
  const words: Record<LaneSpan['activity'], string> = {
    chat: t`chat`,
    embed: t`embed`,
    ocr: t`ocr`,
    proof: t`proof`,
    paused: t`paused`,
  }
  const kinds: Record<DeviceKind, string> = {
    cpu: t`CPU`,
    gpu: t`GPU`,
    npu: t`NPU`,
    asic: t`ASIC`,
    fpga: t`FPGA`,
    other: t`Other`,
  }
  const used = ACTIVITIES.filter((activity) => history.lanes.some((lane) => lane.activity === activity))
  const long = history.period === '7d' || history.period === '24h'
  const at = long ? dayClock : clock
  const lastPause = history.pauses.at(-1)
  return (
    <div>
      <div className="lanes">
        {ids.map((id) => {
          const device = devices.find((one) => one.id === id)
          return (
            <div className="lane" key={id}>
              <em title={device?.name ?? id}>{device ? kinds[device.kind] : id}</em>
              {laneBars(
                history.lanes.filter((lane) => lane.deviceId === id),
                history.from,
                history.to,
              ).map((bar) => (
                <i
                  key={bar.fromPercent}
                  className={`k-${bar.activity}`}
                  title={words[bar.activity]}
                  style={{ left: `${bar.fromPercent}%`, width: `${bar.toPercent - bar.fromPercent}%` }}
                />
              ))}
            </div>
          )
        })}
      </div>
      <div className="spread lane-key">
        <div className="key">
          {used.map((activity) => (
            <span key={activity}>
              <i className={`k-${activity}`} />
              {words[activity]}
            </span>
          ))}
        </div>
        <span className="muted cut">
          {lastPause
            ? t`Paused ${at(lastPause.from)} to ${at(lastPause.to)}: ${lastPause.cause}`
            : t`${at(history.from)} to ${at(history.to)}`}
        </span>
      </div>
    </div>
  )
}

const TABLE_ROWS = 24

/** The same values for those who cannot see the chart, thinned to two dozen rows. */
function HiddenTable({ history, divisor, unit }: { history: HistoryData; divisor: number; unit: string }) {
  const step = Math.max(1, Math.ceil(history.points.length / TABLE_ROWS))
  const rows = history.points.filter((_, index) => index % step === 0)
  return (
    <div className="sr">
      <table>
        <caption>
          <Trans>Rate and power over the period</Trans>
        </caption>
        <thead>
          <tr>
            <th>
              <Trans>Time</Trans>
            </th>
            <th>
              <Trans>Rate, {unit}</Trans>
            </th>
            <th>
              <Trans>Power, W</Trans>
            </th>
            <th>
              <Trans>of it measured, W</Trans>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((point) => (
            <tr key={point.at}>
              <td>{dayClock(point.at)}</td>
              <td>
                {point.creditMacsPerSecond === null ? <Trans>none</Trans> : three(point.creditMacsPerSecond / divisor)}
              </td>
              <td>{point.watts === null ? <Trans>none</Trans> : wattsText(point.watts)}</td>
              <td>{point.wattsMeasured === null ? <Trans>none</Trans> : wattsText(point.wattsMeasured)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
