/** What was credited, how far it has come, and what it cost. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { EarningsPeriod } from '#shared/contract/earnings'
import { useAnswer } from '../../data/answer'
import { useStore } from '../../data/store'
import { useSay } from '../../ui/say'
import { Panel, Segmented } from '../../ui/parts'
import { networkName } from '../../app/words'
import { Credits } from './Credits'
import { Days } from './Days'
import { Export } from './Export'
import { Funnel } from './Funnel'
import { PayoutPanel } from './PayoutPanel'

export function Earnings() {
  const { t } = useLingui()
  const say = useSay()
  const status = useStore((state) => state.status)
  const [period, setPeriod] = useState<EarningsPeriod>('7d')
  const fresh = { on: ['credit.changed'] as const, restMilliseconds: 2000, everyMilliseconds: 60_000 }
  const funnel = useAnswer('earnings.funnel', { period }, fresh)
  const days = useAnswer(
    'earnings.days',
    { period },
    { on: ['credit.changed', 'settings.changed'], restMilliseconds: 10_000, everyMilliseconds: 60_000 },
  )
  if (!status) return null
  const words: Record<EarningsPeriod, string> = {
    today: t`today`,
    '7d': t`last 7 days`,
    '30d': t`last 30 days`,
    all: t`since the beginning`,
  }
  const network = networkName(status, say)
  return (
    <>
      <div className="title">
        <h1>
          <Trans>Earnings</Trans>
        </h1>
        <span className="muted cut">
          {network}, {words[period]}
          {!status.network.hasMarketValue && t`, no market value`}
        </span>
        <span className="grow" />
        <Segmented
          label={t`Period`}
          value={period}
          onChange={setPeriod}
          choices={[
            { value: 'today', text: t`Today` },
            { value: '7d', text: t`7 d` },
            { value: '30d', text: t`30 d` },
            { value: 'all', text: t`All` },
          ]}
        />
        <Export period={period} />
      </div>
      <Funnel answer={funnel} words={words[period]} />
      <div className="cols wide keep">
        <Days answer={days} />
        <PayoutPanel days={days.data} words={words[period]} paysNothing={!status.network.hasMarketValue} />
      </div>
      <Credits />
      {status.network.hasMarketValue ? null : (
        <Panel title={t`Statements and payouts`}>
          <div className="in soft">
            <Trans>Not yet: practice gives receipts, and nothing is paid. What is accepted stays accepted.</Trans>
          </div>
        </Panel>
      )}
    </>
  )
}
