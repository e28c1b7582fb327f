/** Why there is no useful job now, in words: on Home and on Jobs. */
import { Trans, useLingui } from '@lingui/react/macro'
import type { EngineStatus } from '#shared/contract/engine'
import { href } from '../app/route'

export function NoJobs({ status }: { status: EngineStatus }) {
  const { t } = useLingui()
  const { noJobs } = status
  if (noJobs === null) return null
  const missing = noJobs.missingKinds.join(', ')
  return (
    <p className="muted note no-jobs">
      {noJobs.reason === 'no-model' ? (
        <Trans>No model for a useful job yet; proving capacity instead.</Trans>
      ) : noJobs.reason === 'samples-off' ? (
        <Trans>
          No job for your models right now, and generated samples are switched off; proving capacity instead.
        </Trans>
      ) : (
        <Trans>No job for your models right now; proving capacity instead.</Trans>
      )}
      {missing !== '' && (
        <>
          {' '}
          <a href={href('models')}>{t`There is no model for ${missing}.`}</a>
        </>
      )}
    </p>
  )
}
