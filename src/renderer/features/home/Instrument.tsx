/** The five figures, and the scale of work per joule. */
import { Trans, useLingui } from '@lingui/react/macro'
import type { ReactNode } from 'react'
import type { Certainty, Energy } from '#shared/contract/common'
import type { EngineStatus, History, TodaySummary } from '#shared/contract/engine'
import { Scale } from '../../charts/Scale'
import type { Answer } from '../../data/answer'
import { useLive, useNow, useStaleSince } from '../../data/live'
import { useStore } from '../../data/store'
import {
  type Figure,
  joined,
  kilowattHours,
  money,
  moneyFigure,
  NONE,
  percent,
  price,
  scaled,
  span,
} from '../../ui/format'
import { Qualifier } from '../../ui/parts'
import { deviceIcon, efficiencyBand, historyMean, isRunning } from './figures'
import { useMessages } from '../../ui/messages'

interface InstrumentProps {
  status: EngineStatus
  today: Answer<TodaySummary>
  history: History | undefined
}

export function Instrument({ status, today, history }: InstrumentProps) {
  const { t } = useLingui()
  const tick = useLive()
  const staleSince = useStaleSince()
  const link = useStore((state) => state.link)
  const devices = useStore((state) => state.devices)
  const running = isRunning(status)
  // A stopped rig has no rate; the last tick of an earlier run is not shown as if it were now.
  const live = running ? tick : null
  const stale = link !== 'ready' || (running && staleSince !== null)
  const waiting = running ? t`in a few seconds` : t`10 s after start`
  const source = devices?.map((device) => `${device.name}: ${device.wattsSource}`).join('; ')
  const mean = historyMean(history)
  const band = efficiencyBand(history)
  const noPower = running && live !== null && live.watts === null
  const marks = (devices ?? []).flatMap((device) => {
    const value = live?.devices.find((one) => one.id === device.id)?.macsPerJoule ?? null
    return running && value !== null ? [{ name: device.name, macsPerJoule: value, icon: deviceIcon(device.kind) }] : []
  })

  return (
    <section className="panel" aria-label={t`Instrument`}>
      <dl className="readouts">
        <Readout
          hero
          stale={stale}
          label={t`Work per joule, last minute`}
          figure={live?.macsPerJoule == null ? { figure: NONE, unit: 'GMAC/J' } : scaled(live.macsPerJoule, 'MAC/J')}
          none={live?.macsPerJoule == null}
        >
          {noPower ? (
            <span title={source}>{t`no power reading on this computer`}</span>
          ) : live?.macsPerJoule == null ? (
            <span>{waiting}</span>
          ) : (
            <Watts certainty={live.wattsCertainty} source={source} />
          )}
          {mean.macsPerJoule !== null && live && (
            <span>{t`${mean.period} mean ${joined(scaled(mean.macsPerJoule, 'MAC/J'), ' ')}`}</span>
          )}
        </Readout>
        <Readout
          stale={stale}
          label={t`Rate, last minute`}
          figure={
            live?.creditMacsPerSecond == null
              ? { figure: NONE, unit: 'GMAC/s' }
              : scaled(live.creditMacsPerSecond, 'MAC/s')
          }
          none={live?.creditMacsPerSecond == null}
        >
          {live?.creditMacsPerSecond == null ? (
            <span>{waiting}</span>
          ) : (
            <Qualifier
              certainty="measured"
              source={t`Credit of accepted shares and jobs, a second, over the last minute`}
            >{t`measured`}</Qualifier>
          )}
          {mean.macsPerSecond !== null && live && (
            <span>{t`${mean.period} mean ${joined(scaled(mean.macsPerSecond, 'MAC/s'), ' ')}`}</span>
          )}
        </Readout>
        <TodayReadouts status={status} today={today} stale={link !== 'ready'} />
      </dl>
      <div className="rule-top scale-row">
        <Scale
          macsPerJoule={live?.macsPerJoule ?? null}
          band={band && live ? band : null}
          devices={marks}
          stale={stale}
          none={noPower ? t`no power reading on this computer, so no work per joule` : t`no reading yet`}
          say={status.network.hasMarketValue ? '' : t`No break-even: practice pays nothing`}
        />
      </div>
      {stale && staleSince !== null && <StaleLine since={staleSince} />}
    </section>
  )
}

function StaleLine({ since }: { since: number }) {
  const now = useNow()
  return (
    <p className="stale-line">
      <Qualifier certainty="stale">
        <Trans>Readings {span(now - since)} old</Trans>
      </Qualifier>
    </p>
  )
}

function Watts({ certainty, source }: { certainty: Certainty | null; source: string | undefined }) {
  const { t } = useLingui()
  return (
    <Qualifier certainty={certainty} source={source}>
      {certainty === 'measured'
        ? t`watts measured`
        : certainty === 'mixed'
          ? t`watts partly measured`
          : t`watts estimated`}
    </Qualifier>
  )
}

function TodayReadouts({
  status,
  today,
  stale,
}: {
  status: EngineStatus
  today: Answer<TodaySummary>
  stale: boolean
}) {
  const messages = useMessages()
  const { t } = useLingui()
  const summary = today.data
  const waiting = today.failure ? (
    <span title={messages.action(today.failure.words)}>{messages.text(today.failure.words)}</span>
  ) : (
    <span>{t`loading`}</span>
  )
  const credit = scaled(status.creditMacs.today, 'MAC')
  const held = scaled(status.creditMacs.held, 'MAC')
  const paysNothing = !status.network.hasMarketValue
  const noPower = summary && summary.energy.joules === undefined
  return (
    <>
      <Readout stale={stale} label={t`Credit today`} figure={credit} none={credit.figure === '0'} work>
        {paysNothing ? (
          <>
            <span>{t`practice`}</span>
            <span>{t`no market value`}</span>
          </>
        ) : (
          <span>{t`accepted`}</span>
        )}
        {status.creditMacs.held !== '0' && <span className="wrap">{t`${joined(held, ' ')} held until checked`}</span>}
      </Readout>
      <Readout
        stale={stale}
        label={t`Electricity today`}
        figure={{ figure: summary?.electricityCost ? moneyFigure(summary.electricityCost) : NONE, unit: '' }}
        none={!summary?.electricityCost || summary.electricityCost.micros === '0'}
      >
        {!summary ? (
          waiting
        ) : noPower ? (
          <span className="wrap" title={summary.energy.source}>
            {summary.energy.source}
          </span>
        ) : (
          <>
            {!isRunning(status) && summary.expectedCostPerHour ? (
              <Qualifier certainty="estimated" source={t`Every device in use at full load`}>
                {t`about ${money(summary.expectedCostPerHour)} an hour`}
              </Qualifier>
            ) : (
              <EnergyQualifier energy={summary.energy} />
            )}
            <PriceLine joules={summary.energy.joules ?? 0} price={summary.pricePerKilowattHour} />
          </>
        )}
      </Readout>
      <Readout
        stale={stale}
        label={t`Net today`}
        figure={{ figure: summary?.net ? moneyFigure(summary.net, true) : NONE, unit: '' }}
        none={!summary?.net || summary.net.micros === '0'}
      >
        {summary && !noPower ? (
          <EnergyQualifier energy={summary.energy} />
        ) : summary ? (
          <span>{t`electricity unknown`}</span>
        ) : (
          waiting
        )}
        {paysNothing && <span>{t`pays nothing`}</span>}
      </Readout>
    </>
  )
}

function PriceLine({ joules, price: at }: { joules: number; price: TodaySummary['pricePerKilowattHour'] }) {
  const { t } = useLingui()
  const energy = kilowattHours(joules)
  return at.assumed ? (
    <span
      className="wrap"
      title={t`${energy} at ${price(at)} a kilowatt hour, a price that is assumed until you set it in Settings`}
    >{t`${energy} at an assumed ${price(at)}/kWh`}</span>
  ) : (
    <span title={t`${energy} at ${price(at)} a kilowatt hour`}>{t`${energy} at ${price(at)}/kWh`}</span>
  )
}

function EnergyQualifier({ energy }: { energy: Energy }) {
  const { t } = useLingui()
  if (energy.certainty === undefined) return null
  const mixed = energy.certainty === 'mixed' && energy.measuredShare !== undefined
  return (
    <Qualifier certainty={energy.certainty} source={energy.source}>
      {mixed
        ? t`${percent(energy.measuredShare ?? 0)} measured`
        : energy.certainty === 'measured'
          ? t`measured`
          : t`estimated`}
    </Qualifier>
  )
}

interface ReadoutProps {
  label: string
  figure: Figure
  hero?: boolean
  none?: boolean
  stale?: boolean
  work?: boolean
  children: ReactNode
}

/** Label with period, figure, unit, and the lines that say where it comes from. */
function Readout({ label, figure, hero = false, none = false, stale = false, work = false, children }: ReadoutProps) {
  return (
    <div className={`readout ${hero ? 'hero' : ''} ${stale ? 'stale' : ''}`}>
      <dt title={label}>{label}</dt>
      <dd className={`fig ${none ? 'none' : ''} ${work && !none && !stale ? 'work' : ''}`}>
        <b>{figure.figure}</b>
        {figure.unit !== '' && <span className="u">{figure.unit}</span>}
      </dd>
      <dd className="src">{children}</dd>
    </div>
  )
}
