/** Per day: credit above, electricity below; two units are two charts on one axis of days. */
import { Trans, useLingui } from '@lingui/react/macro'
import type { DayRow } from '#shared/contract/earnings'
import { roundTop } from '../../charts/TimeChart'
import type { Answer } from '../../data/answer'
import { dayMonth, joined, kilowattHours, macScale, microUnit, money, scaled, short } from '../../ui/format'
import { Empty, Loaded, Panel } from '../../ui/parts'
import { certaintyOfDays } from './certainty'

export function Days({ answer }: { answer: Answer<DayRow[]> }) {
  const { t } = useLingui()
  return (
    <Panel
      title={t`Per day`}
      end={
        <span className="key">
          <span>
            <i className="f-accepted" />
            {t`credit, accepted`}
          </span>
          <span>
            <i className="f-cost" />
            {t`electricity`}
          </span>
        </span>
      }
    >
      <div className="in pad">
        <Loaded answer={answer}>
          {(days) =>
            days.every((day) => day.creditMacs === '0' && !day.energy.joules) ? (
              <Empty title={t`Nothing yet`}>
                <Trans>Credit and electricity of each day appear here.</Trans>
              </Empty>
            ) : (
              <Bars days={days} />
            )
          }
        </Loaded>
      </div>
    </Panel>
  )
}

/** The largest number of days with a bar each; more are shown as the latest ones. */
const MOST_BARS = 31

function Bars({ days }: { days: readonly DayRow[] }) {
  const { t } = useLingui()
  const shown = days.slice(-MOST_BARS)
  const credits = shown.map((day) => Number(day.creditMacs))
  const costs = shown.map((day) => (day.electricityCost ? Number(day.electricityCost.micros) : null))
  const currency = shown.find((day) => day.electricityCost)?.electricityCost?.currency ?? ''
  // The cost of a first day is so small that its zeros do not fit beside the axis: the axis is in millionths then.
  const inMicros = Math.max(...costs.map((cost) => cost ?? 0)) < 1000
  const { unit, divisor } = macScale(Math.max(...credits, 0))
  const anyCost = costs.some((cost) => cost !== null)
  const certainty = certaintyOfDays(shown) ?? 'measured'
  return (
    <div className="days">
      <div className="cap2">
        <span>
          <b>
            <Trans>Credit</Trans>
          </b>
          , {unit}
        </span>
      </div>
      <BarRow
        values={credits}
        days={shown}
        fill="f-accepted"
        axis={!anyCost}
        label={(index) => t`${joinedMacs(shown[index]?.creditMacs ?? '0')} on ${dayWords(shown[index])}`}
        top={(value) => short(value / divisor)}
        name={t`Credit per day`}
      />
      {anyCost ? (
        <>
          <div className="cap2">
            <span>
              <b>
                <Trans>Electricity</Trans>
              </b>
              , {inMicros ? microUnit(currency) : currency}
            </span>
            <span className={`q ${certainty}`}>
              {certainty === 'measured' ? t`measured` : certainty === 'estimated' ? t`estimated` : t`partly measured`}
            </span>
          </div>
          <BarRow
            values={costs.map((cost) => (cost ?? 0) / 1e6)}
            days={shown}
            fill="f-cost"
            axis
            label={(index) => {
              const day = shown[index]
              return day?.electricityCost
                ? t`${money(day.electricityCost)}, ${kilowattHours(day.energy.joules ?? 0)} on ${dayWords(day)}`
                : t`not known`
            }}
            top={(value) => short(inMicros ? value * 1e6 : value)}
            name={t`Electricity per day`}
          />
        </>
      ) : (
        <p className="cap2">
          <Trans>Electricity is not known: this computer gives no power reading.</Trans>
        </p>
      )}
      <div className="sr">
        <table>
          <caption>{t`Credit and electricity per day`}</caption>
          <thead>
            <tr>
              <th>{t`Day`}</th>
              <th>{t`Credit`}</th>
              <th>{t`Electricity`}</th>
              <th>{t`Energy`}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((day) => (
              <tr key={day.day}>
                <td>{dayWords(day)}</td>
                <td>{joinedMacs(day.creditMacs)}</td>
                <td>{day.electricityCost ? money(day.electricityCost) : t`not known`}</td>
                <td>{day.energy.joules === undefined ? t`not known` : kilowattHours(day.energy.joules)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}

const joinedMacs = (macs: string): string => joined(scaled(macs, 'MAC'), ' ')
/** A local date of the ledger; noon keeps it the same day in every zone. */
const dayWords = (day: DayRow | undefined): string => (day ? dayMonth(Date.parse(`${day.day}T12:00:00`)) : '')

interface BarRowProps {
  name: string
  values: readonly number[]
  days: readonly DayRow[]
  fill: string
  axis: boolean
  label: (index: number) => string
  /** the axis label of a value */
  top: (value: number) => string
}

function BarRow({ values, days, fill, axis, label, top, name }: BarRowProps) {
  const highest = roundTop(Math.max(...values, 0))
  const width = 100 / values.length
  const every = Math.max(1, Math.ceil(values.length / 8))
  return (
    <div className={`chart bars ${axis ? '' : 'nox'}`} aria-label={name}>
      <div className="plot">
        <span className="y top">{top(highest)}</span>
        <span className="y middle">{top(highest / 2)}</span>
        <span className="y bottom">0</span>
        <i className="line top" />
        <i className="line middle" />
        {values.map((value, index) => (
          <i
            key={days[index]?.day ?? index}
            className={fill}
            title={label(index)}
            style={{
              left: `${(index + 0.2) * width}%`,
              width: `min(${0.6 * width}%, 3.5rem)`,
              height: `${(value / highest) * 100}%`,
            }}
          />
        ))}
        {axis &&
          days.map((day, index) =>
            index % every === 0 || index === days.length - 1 ? (
              <span key={day.day} className="x" style={{ left: `${(index + 0.5) * width}%` }}>
                {dayWords(day)}
              </span>
            ) : null,
          )}
      </div>
    </div>
  )
}
