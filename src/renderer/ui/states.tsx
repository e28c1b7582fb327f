/** States of jobs and credits as a shape and a word; how a receipt was checked. */
import { Trans, useLingui } from '@lingui/react/macro'
import type { Verification } from '#shared/protocol/receipt'
import type { CreditState as CreditStateName, JobState as JobStateName } from '#shared/domain/states'
import { Icon, type IconName } from './icons'

const SHAPES: Record<JobStateName | CreditStateName, { icon: IconName; tone: string }> = {
  queued: { icon: 'ring', tone: 'idle' },
  running: { icon: 'running', tone: 'idle' },
  interrupted: { icon: 'pause', tone: 'paused' },
  submitted: { icon: 'sent', tone: 'idle' },
  held: { icon: 'ring', tone: 'paused' },
  accepted: { icon: 'disc', tone: 'ok' },
  confirmed: { icon: 'disc', tone: 'ok' },
  paid: { icon: 'disc', tone: 'ok' },
  refused: { icon: 'error', tone: 'error' },
  forfeited: { icon: 'dash', tone: 'error' },
  failed: { icon: 'error', tone: 'error' },
  cancelled: { icon: 'stop', tone: 'idle' },
  returned: { icon: 'returned', tone: 'paused' },
}

interface StateProps {
  state: JobStateName | CreditStateName
  /** a job of the person at the screen: what the network accepted is simply done */
  isOwn?: boolean
}

export function StateBadge({ state, isOwn = false }: StateProps) {
  const { icon, tone } = SHAPES[state]
  return (
    <span className={`badge ${tone}`}>
      <Icon name={icon} small />
      <StateWord state={state} isOwn={isOwn} />
    </span>
  )
}

export function StateWord({ state, isOwn = false }: StateProps) {
  switch (state) {
    case 'queued':
      return <Trans>queued</Trans>
    case 'running':
      return <Trans>running</Trans>
    case 'interrupted':
      return <Trans>interrupted</Trans>
    case 'submitted':
      return <Trans>submitted</Trans>
    case 'held':
      return <Trans>held</Trans>
    case 'accepted':
      return isOwn ? <Trans>done</Trans> : <Trans>accepted</Trans>
    case 'confirmed':
      return <Trans>confirmed</Trans>
    case 'paid':
      return <Trans>paid</Trans>
    case 'refused':
      return <Trans>refused</Trans>
    case 'forfeited':
      return <Trans>forfeited</Trans>
    case 'failed':
      return <Trans>failed</Trans>
    case 'cancelled':
      return <Trans>cancelled</Trans>
    case 'returned':
      return <Trans>returned</Trans>
  }
}

interface VerifiedProps {
  verification: Verification | null
  /** the column's head says already what is shown */
  isUnderHead?: boolean
}

/** How the network checked a result. An unchecked result is never called verified. */
export function Verified({ verification, isUnderHead = false }: VerifiedProps) {
  const { t } = useLingui()
  if (verification === null) return <span className="muted">–</span>
  if (verification === 'unchecked') {
    return (
      <span className="muted">
        <Trans>not checked</Trans>
      </span>
    )
  }
  const how = verification === 'recomputed' ? t`recomputed` : t`known answer`
  return (
    <span className="row ok verified">
      <Icon name="check" small />
      <span>{isUnderHead ? how : t`Verified: ${how}`}</span>
    </span>
  )
}
