import { Trans, useLingui } from '@lingui/react/macro'
import { useAnswer } from '../../data/answer'
import { Loaded, Panel } from '../../ui/parts'

export function About() {
  const { t } = useLingui()
  const answer = useAnswer('about.get', null)
  return (
    <Panel title={t`About`}>
      <div className="in">
        <Loaded answer={answer}>
          {(about) => (
            <dl className="kv about">
              <dt>
                <Trans>Version</Trans>
              </dt>
              <dd className="mono">{about.version}</dd>
              <dt>
                <Trans>Data folder</Trans>
              </dt>
              <dd className="mono" title={about.dataDir}>
                {about.dataDir}
              </dd>
              <dt>
                <Trans>Log file</Trans>
              </dt>
              <dd className="mono" title={about.logFile ?? undefined}>
                {about.logFile ?? t`none, logs go to the terminal`}
              </dd>
              <dt>
                <Trans>Runs on</Trans>
              </dt>
              <dd>
                {t`Node ${about.nodeVersion}`}, {about.platform}
              </dd>
            </dl>
          )}
        </Loaded>
      </div>
    </Panel>
  )
}
