/** States of jobs and credits as a shape and a word; how a receipt was checked. */
import { Trans } from '@lingui/react/macro'
import type { Verification } from '#shared/protocol/receipt'
import type { CreditState as CreditStateName, JobState as JobStateName } from '#shared/domain/states'
import { Icon, type IconName } from './icons'

const SHAPES: Record<JobStateName | CreditStateName, { icon: IconName; tone: string }> = {
  queued: { icon: 'ring', tone: 'idle' },
  running: { icon: 'running', tone: 'idle' },
  interrupted: { icon: 'pause', tone: 'paused' },
  submitted: { icon: 'sent', tone: 'idle' },
  accepted: { icon: 'disc', tone: 'ok' },
  confirmed: { icon: 'disc', tone: 'ok' },
  paid: { icon: 'disc', tone: 'ok' },
  rejected: { icon: 'error', tone: 'error' },
  failed: { icon: 'error', tone: 'error' },
  cancelled: { icon: 'stop', tone: 'idle' },
  returned: { icon: 'returned', tone: 'paused' },
}

export function StateBadge({ state }: { state: JobStateName | CreditStateName }) {
  const { icon, tone } = SHAPES[state]
  return (
    <span className={`badge ${tone}`}>
      <Icon name={icon} small />
      <StateWord state={state} />
    </span>
  )
}

export function StateWord({ state }: { state: JobStateName | CreditStateName }) {
  switch (state) {
    case 'queued':
      return <Trans>queued</Trans>
    case 'running':
      return <Trans>running</Trans>
    case 'interrupted':
      return <Trans>interrupted</Trans>
    case 'submitted':
      return <Trans>submitted</Trans>
    case 'accepted':
      return <Trans>accepted</Trans>
    case 'confirmed':
      return <Trans>confirmed</Trans>
    case 'paid':
      return <Trans>paid</Trans>
    case 'rejected':
      return <Trans>rejected</Trans>
    case 'failed':
      return <Trans>failed</Trans>
    case 'cancelled':
      return <Trans>cancelled</Trans>
    case 'returned':
      return <Trans>returned</Trans>
  }
}

/** Nothing is called checked that was not. */
export function Verified({ verification }: { verification: Verification | null }) {
  if (verification === null) return <span className="muted">–</span>
  if (verification === 'unchecked') {
    return (
      <span className="muted">
        <Trans>not checked</Trans>
      </span>
    )
  }
  return (
    <span className="row ok verified">
      <Icon name="check" small />
      <span>{verification === 'recomputed' ? <Trans>recomputed</Trans> : <Trans>known answer</Trans>}</span>
    </span>
  )
}
