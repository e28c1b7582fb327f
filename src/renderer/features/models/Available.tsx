/** The catalogue: what could be fetched, whether it fits here, and from where. The recommended one comes first. */
import { Trans, useLingui } from '@lingui/react/macro'
import type { CatalogueRow } from '#shared/contract/models'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure } from '../../data/store'
import { bytes, count, shortId } from '../../ui/format'
import { Empty } from '../../ui/parts'
import { ModelName } from './ModelName'
import { useMessages } from '../../ui/messages'

export function Available({ models, onAsked }: { models: readonly CatalogueRow[]; onAsked: () => void }) {
  const { t } = useLingui()
  const rest = models.filter((model) => !model.installed)
  if (rest.length === 0)
    return (
      <Empty title={t`Everything is installed`}>
        <Trans>Every model of the catalogue is on this computer.</Trans>
      </Empty>
    )
  const ordered = rest.toSorted((a, b) => Number(b.recommended) - Number(a.recommended))
  return (
    <div className="scroll-x">
      <table className="tbl tall models-table">
        <caption className="sr">{t`Models that can be fetched`}</caption>
        <colgroup>
          <col />
          <col className="w-num" />
          <col className="w-fit" />
          <col className="w-hash wide-only" />
          <col className="w-act" />
        </colgroup>
        <thead>
          <tr>
            <th>{t`Model`}</th>
            <th className="r">{t`Size`}</th>
            <th>{t`This computer`}</th>
            <th className="wide-only">{t`Licence, hash`}</th>
            <th className="r">
              <span className="sr">{t`Get`}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {ordered.map((model) => (
            <Row key={model.id} model={model} onAsked={onAsked} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Row({ model, onAsked }: { model: CatalogueRow; onAsked: () => void }) {
  const messages = useMessages()
  const { t } = useLingui()
  const { fit } = model
  const fitWords = messages.text(fit.words)
  const get = (): void => {
    client.call('models.get', { id: model.id }).then(onAsked, (error: unknown) => reportFailure(asFailure(error)))
  }
  const impossible = fit.memory === 'no' || fit.disk === 'no'
  return (
    <tr aria-selected={model.recommended}>
      <td>
        <ModelName
          kind={model.kind}
          title={
            <>
              <a className="strong" href={model.card} target="_blank" rel="noreferrer" title={model.card}>
                {model.name}
              </a>{' '}
              {model.recommended && <span className="tag">{t`Recommended for this computer`}</span>}
            </>
          }
          below={model.description}
          description={model.description}
        />
      </td>
      <td className="r">
        {bytes(model.bytes)}
        <span className="sub">{model.context > 0 ? t`${count(model.context)} tokens` : model.kind}</span>
      </td>
      <td>
        <FitWord fit={fit} />
        <span className="sub" title={t`${fitWords}, at ${count(model.chosenContext)} tokens of context`}>
          {t`${bytes(fit.memoryBytes)} of memory`}
        </span>
      </td>
      <td className="name wide-only">
        <a href={model.licence.address} target="_blank" rel="noreferrer">
          {model.licence.name}
        </a>
        <span className="sub" title={t`${model.sha256 ?? t`not known yet`}, from ${model.sources.join(', ')}`}>
          {model.sha256 !== null && <span className="mono">{shortId(model.sha256)}</span>}{' '}
          {model.hash === 'pinned' ? t`pinned by Lode` : t`hash from the hub`}
        </span>
      </td>
      <td className="r">
        {/* It stays when it was pressed, with the focus. */}
        <button
          type="button"
          className={model.download !== null ? 'btn quiet sm' : model.recommended ? 'btn primary sm' : 'btn sm'}
          aria-label={model.download === null ? t`Get ${model.name}` : t`${model.name}, queued`}
          aria-disabled={model.download !== null}
          disabled={impossible && model.download === null}
          title={impossible ? fitWords : undefined}
          onClick={() => {
            if (model.download === null) get()
          }}
        >
          {model.download === null ? <Trans>Get</Trans> : <Trans>Queued</Trans>}
        </button>
      </td>
    </tr>
  )
}

function FitWord({ fit }: { fit: CatalogueRow['fit'] }) {
  const { t } = useLingui()
  const worst =
    fit.memory === 'no' || fit.disk === 'no' ? 'no' : fit.memory === 'tight' || fit.disk === 'tight' ? 'tight' : 'fits'
  if (worst === 'no')
    return <span className="bad">{fit.disk === 'no' ? t`no: the disk is too small` : t`no: too little memory`}</span>
  return worst === 'tight' ? <span className="warn">{t`tight`}</span> : <span className="ok">{t`fits`}</span>
}
