/** Says on Home and on Jobs why there is no useful job now. */
import { Trans, useLingui } from '@lingui/react/macro'
import type { EngineStatus } from '#shared/contract/engine'
import { href } from '../app/route'
import { useAnswer } from '../data/answer'
import { listed } from './format'

export function NoJobs({ status }: { status: EngineStatus }) {
  const { t } = useLingui()
  const { noJobs } = status
  const downloads = useAnswer('models.downloads', null, { on: ['models.download'], enabled: noJobs !== null })
  if (noJobs === null) return null
  const missing = listed(noJobs.missingKinds)
  const isComing = downloads.data?.some(({ state }) => state !== 'failed' && state !== 'paused') ?? false
  return (
    <p className="muted note no-jobs">
      {noJobs.reason === 'no-model' ? (
        <Trans>No model for a useful job yet; proving capacity instead.</Trans>
      ) : noJobs.reason === 'samples-off' ? (
        <Trans>No job for your models right now, and synthetic jobs are switched off; proving capacity instead.</Trans>
      ) : (
        <Trans>No job for your models right now; proving capacity instead.</Trans>
      )}
      {missing !== '' && (
        <>
          {' '}
          <a href={href('models')}>{isComing ? t`Models are being fetched.` : t`There is no model for ${missing}.`}</a>
        </>
      )}
    </p>
  )
}
