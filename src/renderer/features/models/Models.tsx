/** Models: what is being fetched, what is installed and what it earned, what could be fetched, and how to bring one's own. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { ModelRow } from '#shared/contract/models'
import { useAnswer } from '../../data/answer'
import { bytes, count } from '../../ui/format'
import { useKeptFocus } from '../../ui/kept-focus'
import { Empty, Loaded, Panel } from '../../ui/parts'
import { AddModel } from './AddModel'
import { Available } from './Available'
import { ContextChoice, USUAL_CONTEXT } from './ContextChoice'
import { CheckFiles } from './CheckFiles'
import { CleanUp } from './CleanUp'
import { DownloadRow } from './DownloadRow'
import { FetchPlanPanel } from './FetchPlan'
import { InstalledRow } from './InstalledRow'
import { useBadFiles } from './bad-files'
import { droppedFiles } from './take-files'
import { useAdding } from './use-adding'

export function Models() {
  const { t } = useLingui()
  const installed = useAnswer('models.list', null, {
    on: ['models.changed', 'credit.changed'],
    restMilliseconds: 2000,
  })
  const [context, setContext] = useState(USUAL_CONTEXT)
  const catalogue = useAnswer(
    'models.catalogue',
    { context },
    {
      on: ['models.changed', 'settings.changed'],
      everyMilliseconds: 10_000,
    },
  )
  const downloads = useAnswer('models.downloads', null, { on: ['models.download'], restMilliseconds: 250 })
  const adding = useAdding(installed.reload)
  const models = installed.data ?? []
  const screen = useKeptFocus<HTMLDivElement>()
  // The rows stay while the catalogue is asked for another context.
  const [shown, setShown] = useState(catalogue.data)
  if (catalogue.data !== undefined && catalogue.data !== shown) setShown(catalogue.data)
  return (
    <div
      className="stack models"
      ref={screen}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault()
        if (event.dataTransfer.files.length > 0) adding.addFiles(droppedFiles(event.dataTransfer))
      }}
    >
      <div className="title">
        <h1>{t`Models`}</h1>
        <span className="muted cut">{installed.data && <Sums models={models} />}</span>
        <span className="grow" />
        <CheckFiles onChecked={installed.reload} />
      </div>
      {shown && <FetchPlanPanel plan={shown.plan} downloads={downloads.data ?? []} />}
      {downloads.data && downloads.data.length > 0 && (
        <Panel title={t`Being fetched`}>
          <div className="rule-top">
            <ul className="list one">
              {downloads.data.map((download) => (
                <DownloadRow key={download.id} download={download} onChanged={downloads.reload} />
              ))}
            </ul>
          </div>
        </Panel>
      )}
      <Panel title={t`Installed`}>
        <div className="rule-top">
          <Loaded answer={installed}>
            {(list) =>
              list.length === 0 ? (
                <Empty title={t`No model yet`}>
                  <Trans>Get one of the list below, or bring your own. Each file is checked before it is used.</Trans>
                </Empty>
              ) : (
                <>
                  <InstalledTable models={list} onRemoved={installed.reload} />
                  {list.some((model) => !model.builtIn) && <CleanUp onRemoved={installed.reload} />}
                </>
              )
            }
          </Loaded>
        </div>
      </Panel>
      <AddModel adding={adding} />
      <Panel
        title={t`Available`}
        note={t`from the catalogue that comes with Lode`}
        end={<ContextChoice value={context} onChange={setContext} />}
      >
        <div className="rule-top">
          <Loaded answer={{ ...catalogue, data: shown }}>
            {({ models: list }) => <Available models={list} onAsked={downloads.reload} />}
          </Loaded>
        </div>
      </Panel>
    </div>
  )
}

function Sums({ models }: { models: readonly ModelRow[] }) {
  const { t } = useLingui()
  const all = models.reduce((sum, model) => sum + model.bytes, 0)
  return <>{t`${count(models.length)} installed, ${bytes(all)}`}</>
}

function InstalledTable({ models, onRemoved }: { models: readonly ModelRow[]; onRemoved: () => void }) {
  const { t } = useLingui()
  const bad = useBadFiles((state) => state.files)
  return (
    <div className="scroll-x">
      <table className="tbl tall models-table">
        <caption className="sr">{t`Installed models`}</caption>
        <colgroup>
          <col />
          <col className="w-num" />
          <col className="w-num" />
          <col className="w-backend" />
          <col className="w-hash wide-only" />
          <col className="w-act" />
        </colgroup>
        <thead>
          <tr>
            <th>{t`Model`}</th>
            <th className="r">{t`Size`}</th>
            <th className="r">{t`Jobs`}</th>
            <th className="r">{t`Credit`}</th>
            <th className="wide-only">{t`Licence, hash`}</th>
            <th className="r">
              <span className="sr">{t`Remove`}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <InstalledRow key={model.id} model={model} badFiles={bad[model.id] ?? []} onRemoved={onRemoved} />
          ))}
        </tbody>
      </table>
    </div>
  )
}
