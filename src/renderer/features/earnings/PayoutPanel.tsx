import { Trans, useLingui } from '@lingui/react/macro'
import type { Certainty } from '#shared/domain/energy'
import type { DayRow } from '#shared/contract/earnings'
import { go } from '../../app/route'
import { useAnswer } from '../../data/answer'
import { money, NONE, scaled } from '../../ui/format'
import { Panel, Qualifier } from '../../ui/parts'
import { certaintyOfDays } from './certainty'

/** Where a payout would go, and the sums of the period: credit, electricity, net. */
export function PayoutPanel({
  days,
  words,
  paysNothing,
}: {
  days: readonly DayRow[] | undefined
  words: string
  paysNothing: boolean
}) {
  const { t } = useLingui()
  const address = useAnswer('address.show', null)
  const sum = days && sums(days)
  const credit = sum && scaled(sum.creditMacs, 'MAC')
  return (
    <Panel
      title={t`Payout`}
      end={
        <button type="button" className="btn sm" onClick={() => go('settings', 'payout')}>
          {address.data ? <Trans>Change</Trans> : <Trans>Set an address</Trans>}
        </button>
      }
    >
      <div className="in payout">
        {paysNothing && (
          <p className="soft">
            <Trans>Practice pays nothing. You can save an address for later.</Trans>
          </p>
        )}
        <dl className="kv">
          <dt>
            <Trans>Address</Trans>
          </dt>
          <dd className="mono" title={address.data?.address}>
            {address.data ? `${address.data.address.slice(0, 8)}…${address.data.address.slice(-6)}` : t`none set`}
          </dd>
        </dl>
        <dl className="kv rule-top sums">
          <dt>{t`Credit, ${words}`}</dt>
          <dd>{credit ? `${credit.figure} ${credit.unit}` : NONE}</dd>
          <dt>{t`Electricity`}</dt>
          <dd>
            {sum?.cost ? money({ ...sum.cost, micros: String(-BigInt(sum.cost.micros)) }, true) : NONE}{' '}
            <Qualifier certainty={sum?.certainty ?? null} />
          </dd>
          <dt className="strong ink">{t`Net, ${words}`}</dt>
          <dd className="strong">
            {sum?.cost ? money({ ...sum.cost, micros: String(-BigInt(sum.cost.micros)) }, true) : NONE}{' '}
            <Qualifier certainty={sum?.certainty ?? null} />
          </dd>
        </dl>
      </div>
    </Panel>
  )
}

function sums(days: readonly DayRow[]): {
  creditMacs: bigint
  cost: { micros: string; currency: string } | null
  certainty: Certainty | null
} {
  const costs = days.flatMap((day) => (day.electricityCost ? [day.electricityCost] : []))
  const currency = costs[0]?.currency
  return {
    creditMacs: days.reduce((sum, day) => sum + BigInt(day.creditMacs), 0n),
    cost:
      currency === undefined
        ? null
        : { micros: costs.reduce((sum, cost) => sum + BigInt(cost.micros), 0n).toString(), currency },
    certainty: certaintyOfDays(days),
  }
}
