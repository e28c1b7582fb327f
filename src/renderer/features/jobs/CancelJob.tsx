import { Trans, useLingui } from '@lingui/react/macro'
import type { Failure } from '#shared/domain/errors'
import { client } from '../../data/client'
import { asFailure, useLinked } from '../../data/store'

interface CancelJobProps {
  id: string
  onCancelled?: () => void
  onFailed: (failure: Failure) => void
}

/** The button that cancels a job which is not over yet. */
export function CancelJob({ id, onCancelled, onFailed }: CancelJobProps) {
  const { t } = useLingui()
  const linked = useLinked()
  const cancel = (): void => {
    client.call('jobs.cancel', { id }).then(onCancelled, (error: unknown) => onFailed(asFailure(error)))
  }
  return (
    <button
      type="button"
      className="btn sm"
      disabled={!linked}
      title={linked ? undefined : t`The engine is gone`}
      onClick={cancel}
    >
      <Trans>Cancel this job</Trans>
    </button>
  )
}
