/** Says which models mining will fetch by itself, and lets the person refuse. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { Download, FetchPlan } from '#shared/contract/models'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure } from '../../data/store'
import { bytes, listed } from '../../ui/format'

const refuse = (allowed: boolean) => (): void => {
  client.call('settings.set', { fetchModels: allowed }).catch((error: unknown) => reportFailure(asFailure(error)))
}

export function FetchPlanPanel({ plan, downloads }: { plan: FetchPlan; downloads: readonly Download[] }) {
  // An installed model leaves the list of downloads a moment before the new plan arrives.
  const [last, setLast] = useState(downloads)
  const [lastPlan, setLastPlan] = useState(plan)
  const [installed, setInstalled] = useState<readonly string[]>([])
  if (lastPlan !== plan) {
    setLastPlan(plan)
    setInstalled(installed.filter((id) => plan.models.some((model) => model.id === id)))
  }
  if (last !== downloads) {
    setLast(downloads)
    const left = last.filter(({ id, state }) => state === 'installing' && !downloads.some((one) => one.id === id))
    if (left.length > 0) setInstalled([...installed, ...left.map(({ id }) => id)])
  }
  const under = new Set([...downloads.map(({ id }) => id), ...installed])
  if (plan.models.length === 0 || plan.models.every(({ id }) => under.has(id))) return null
  return (
    <section className="notice info plan">
      <span className="grow">
        <PlanWords plan={plan} />
      </span>
      <PlanButtons plan={plan} />
    </section>
  )
}

/** The plan in a sentence. Home shows the same sentence before the first start. */
export function PlanWords({ plan }: { plan: FetchPlan }) {
  const { t } = useLingui()
  const names = listed(plan.models.map((model) => t`${model.name} (${bytes(model.bytes)})`))
  return plan.allowed ? (
    <Trans>
      Once you start mining, Lode fetches {names} in the background, {bytes(plan.bytes)} in all. Proof and reading
      pictures earn meanwhile.
    </Trans>
  ) : (
    <Trans>Mining fetches nothing by itself. Without {names} there are no chat or embedding jobs to earn with.</Trans>
  )
}

export function PlanButtons({ plan }: { plan: FetchPlan }) {
  const getAll = (): void => {
    for (const { id } of plan.models)
      client.call('models.get', { id }).catch((error: unknown) => reportFailure(asFailure(error)))
  }
  return (
    <span className="row">
      <button type="button" className="btn sm" onClick={getAll}>
        <Trans>Fetch now</Trans>
      </button>
      {plan.allowed ? (
        <button type="button" className="btn quiet sm" onClick={refuse(false)}>
          <Trans>Mine without downloading</Trans>
        </button>
      ) : (
        <button type="button" className="btn quiet sm" onClick={refuse(true)}>
          <Trans>Let mining fetch it</Trans>
        </button>
      )}
    </span>
  )
}
