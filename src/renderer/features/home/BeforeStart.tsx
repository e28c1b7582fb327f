/** What a person may look over before the first start. Nothing of it is required. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { EngineStatus, TodaySummary } from '#shared/contract/engine'
import { reportFailure } from '../../app/Notices'
import { go } from '../../app/route'
import { useAnswer } from '../../data/answer'
import { client } from '../../data/client'
import { asFailure, useStore } from '../../data/store'
import { money, price as priceText } from '../../ui/format'
import { Loading, Mark, Panel } from '../../ui/parts'
import { PlanButtons, PlanWords } from '../models/FetchPlan'
import { useMessages } from '../../ui/messages'

export function BeforeStart({ status, today }: { status: EngineStatus; today: TodaySummary | undefined }) {
  const price = today?.pricePerKilowattHour
  const hour = today?.expectedCostPerHour
  const { t } = useLingui()
  const settings = useStore((state) => state.settings)
  return (
    <Panel title={t`Before you start`} end={<span className="muted note">{t`nothing here is required`}</span>}>
      <div className="rule-top">
        <ul className="list">
          <ThisComputer />
          <ModelsToFetch />
          <li>
            <Mark small state="mining" icon="check" />
            <div>
              <b className="strong">
                <Trans>Where to mine</Trans>
              </b>
              <div className="soft">
                {status.network.hasMarketValue ? (
                  status.network.name
                ) : (
                  <Trans>
                    Practice, inside this app. No account, no market value. Shares, jobs, checks and receipts run for
                    real.
                  </Trans>
                )}
              </div>
            </div>
          </li>
          <li>
            <Mark small state="idle" icon="dash" />
            <div>
              <b className="strong">
                <Trans>Payout address</Trans>
              </b>
              <div className="soft">
                <Trans>Not needed: practice pays nothing.</Trans>
              </div>
            </div>
            <button type="button" className="btn sm" onClick={() => go('settings', 'payout')}>
              <Trans>Add now</Trans>
            </button>
          </li>
          <li>
            <Mark small state="mining" icon="check" />
            <div>
              <b className="strong">
                <Trans>When, and what it costs</Trans>
              </b>
              <div className="soft">
                {settings?.practiceKeepGoing ? (
                  <Trans>Until you stop it.</Trans>
                ) : (
                  <Trans>Stops by itself after an hour, so that practice does not use electricity unnoticed.</Trans>
                )}{' '}
                {hour && t`About ${money(hour)} of electricity an hour, estimated.`}{' '}
                {price &&
                  (price.assumed
                    ? t`Electricity ${priceText(price)}/kWh, assumed.`
                    : t`Electricity ${priceText(price)}/kWh.`)}
              </div>
            </div>
            <button type="button" className="btn sm" onClick={() => go('settings')}>
              <Trans>Change</Trans>
            </button>
          </li>
        </ul>
      </div>
    </Panel>
  )
}

/** The models that mining will fetch, their sizes, and how to refuse. Shown before the first request leaves the computer. */
function ModelsToFetch() {
  const catalogue = useAnswer('models.catalogue', null, { on: ['models.changed', 'settings.changed'] })
  const downloads = useAnswer('models.downloads', null, { on: ['models.download'] })
  const plan = catalogue.data?.plan
  if (!plan || plan.models.length === 0) return null
  const under = downloads.data ?? []
  return (
    <li>
      <Mark small state={plan.allowed ? 'mining' : 'idle'} icon={plan.allowed ? 'check' : 'dash'} />
      <div>
        <b className="strong">
          <Trans>Models</Trans>
        </b>
        <div className="soft">
          <PlanWords plan={plan} />
        </div>
        {under.length === 0 && <PlanButtons plan={plan} />}
      </div>
      <button type="button" className="btn sm" onClick={() => go('models')}>
        <Trans>See all</Trans>
      </button>
    </li>
  )
}

function ThisComputer() {
  const messages = useMessages()
  const devices = useStore((state) => state.devices)
  const [checking, setChecking] = useState(false)
  const check = (): void => {
    setChecking(true)
    client
      .call('devices.refresh', null)
      .then((found) => useStore.setState({ devices: found }))
      .catch((error: unknown) => reportFailure(asFailure(error)))
      .finally(() => setChecking(false))
  }
  const able = devices?.some((device) => device.canMine) ?? true
  return (
    <li>
      <Mark small state={able ? 'mining' : 'warning'} {...(able ? { icon: 'check' as const } : {})} />
      <div>
        <b className="strong">
          <Trans>This computer</Trans>
        </b>
        {devices === null ? (
          <Loading />
        ) : (
          devices.map((device) => (
            <div className="soft" key={device.id}>
              {device.canMine ? (
                <Trans>{device.name} can mine.</Trans>
              ) : (
                <Trans>
                  {device.name} stays off: {device.reason === undefined ? '' : messages.text(device.reason)}
                </Trans>
              )}
            </div>
          ))
        )}
      </div>
      <button type="button" className="btn sm" disabled={checking} onClick={check}>
        {checking ? <Trans>Looking</Trans> : <Trans>Check again</Trans>}
      </button>
    </li>
  )
}
