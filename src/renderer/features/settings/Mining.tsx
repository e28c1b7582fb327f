import { Trans, useLingui } from '@lingui/react/macro'
import type { Settings } from '#shared/contract/settings'
import { href } from '../../app/route'
import { Panel, Setting, Switch } from '../../ui/parts'
import { saveSettings } from './save'

export function Mining({ settings }: { settings: Settings }) {
  const { t } = useLingui()
  return (
    <Panel title={t`Mining`}>
      <div className="rule-top">
        <Setting
          name={<Trans>Don't stop practice after an hour</Trans>}
          help={<Trans>Off: practice stops after an hour, since it uses electricity and pays nothing.</Trans>}
        >
          <Switch
            label={t`Don't stop practice after an hour`}
            checked={settings.practiceKeepGoing}
            onChange={(practiceKeepGoing) => saveSettings({ practiceKeepGoing })}
          />
        </Setting>
        <Setting
          name={<Trans>Synthetic jobs</Trans>}
          help={
            <Trans>
              Practice jobs with texts and pictures made up on the spot, at most a fifth of the time. Off: only the
              proof, and jobs that you give.
            </Trans>
          }
        >
          <Switch
            label={t`Synthetic jobs`}
            checked={settings.samples}
            onChange={(samples) => saveSettings({ samples })}
          />
        </Setting>
        <Setting
          name={<Trans>Fetch models</Trans>}
          help={
            <Trans>
              Mining fetches a small model for chat and one for embeddings where there is none, about 190 MB once. Off:
              mine without downloading.
            </Trans>
          }
        >
          <Switch
            label={t`Fetch models`}
            checked={settings.fetchModels}
            onChange={(fetchModels) => saveSettings({ fetchModels })}
          />
        </Setting>
        <Setting
          name={<Trans>Threads and devices</Trans>}
          help={<Trans>Which devices work, and how many threads of the processor.</Trans>}
        >
          <a className="btn" href={href('devices')}>
            <Trans>Open Devices</Trans>
          </a>
        </Setting>
      </div>
    </Panel>
  )
}
