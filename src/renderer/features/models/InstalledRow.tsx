import { Trans, useLingui } from '@lingui/react/macro'
import { useState, type KeyboardEvent } from 'react'
import type { ModelRow } from '#shared/contract/models'
import { isOutdated } from '#shared/domain/converter'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure } from '../../data/store'
import { takesFocus } from '../../ui/kept-focus'
import { ModelName } from './ModelName'
import { bytes, count, joined, NONE, scaled, shortId, shortTime } from '../../ui/format'
import { useMessages } from '../../ui/messages'

interface InstalledRowProps {
  model: ModelRow
  /** files that the last check found missing or changed */
  badFiles: readonly string[]
  onRemoved: () => void
}

export function InstalledRow({ model, badFiles, onRemoved }: InstalledRowProps) {
  const messages = useMessages()
  const { t } = useLingui()
  const { earned } = model
  const vouched = {
    pinned: t`pinned by Lode`,
    hub: t`hash from the hub`,
    computed: t`hash counted here`,
  }
  return (
    <tr>
      <td>
        <ModelName
          kind={model.kind}
          title={
            <>
              <b className="strong" title={model.name}>
                {model.name}
              </b>{' '}
              <span className="mono muted">{model.id}</span>
            </>
          }
          below={<StateWords model={model} badFiles={badFiles} />}
          description={`${model.source}. ${model.licence}. ${messages.text(model.fit.words)}. SHA-256 ${model.hash}`}
        />
      </td>
      <td className="r">
        {bytes(model.bytes)}
        <span className="sub">{model.kind}</span>
      </td>
      <td className="r">
        {count(earned.jobs)}
        <span className="sub">{earned.lastAt === null ? t`none yet` : shortTime(earned.lastAt)}</span>
      </td>
      <td className="r">
        {earned.creditMacs === '0' ? <span className="muted">{NONE}</span> : joined(scaled(earned.creditMacs, 'MAC'))}
        <span className="sub">{t`accepted`}</span>
      </td>
      <td className="name wide-only">
        {model.licence}
        <span className="sub" title={`${model.hash} ${model.source}`}>
          <span className="mono">{shortId(model.hash)}</span>{' '}
          {model.builtIn ? vouched.pinned : vouched[model.origin?.hash ?? 'computed']}
        </span>
      </td>
      <td className="r">
        <Remove model={model} onRemoved={onRemoved} />
      </td>
    </tr>
  )
}

function StateWords({ model, badFiles }: { model: ModelRow; badFiles: readonly string[] }) {
  const { t } = useLingui()
  const { fit } = model
  const fitWords = useMessages().text(fit.words)
  if (badFiles.length > 0) return <span className="bad">{t`not as the manifest says: ${badFiles.join(', ')}`}</span>
  switch (model.state) {
    case 'missing-file':
      return <span className="bad">{t`a file is missing; get it again`}</span>
    case 'wrong-hash':
      return <span className="bad">{t`a file is not as its manifest says; get it again`}</span>
    case 'ready':
      if (fit.memory === 'no') return <span className="bad">{t`${fitWords}; it is not loaded`}</span>
      return (
        <>
          <span className="ok">{t`ready`}</span>, {model.source}
          {isOutdated(model) && t`; an earlier Lode made its graph: get or add it again for today's`}
        </>
      )
  }
}

/** Removes a model after one question, asked in the place of the button. */
function Remove({ model, onRemoved }: { model: ModelRow; onRemoved: () => void }) {
  const { t } = useLingui()
  const [asked, setAsked] = useState(false)
  const [kept, setKept] = useState(false)
  if (model.builtIn)
    return <span className="tag" title={t`Comes with Lode and cannot be removed`}>{t`comes with Lode`}</span>
  if (!asked)
    return (
      <button
        type="button"
        className="btn sm"
        aria-label={t`Remove ${model.name}`}
        // Keep gives the focus back to Remove.
        ref={kept ? takesFocus : null}
        onClick={() => setAsked(true)}
      >
        <Trans>Remove</Trans>
      </button>
    )
  const remove = (): void => {
    client
      .call('models.remove', { id: model.id })
      .then(onRemoved, (error: unknown) => reportFailure(asFailure(error)))
      .finally(() => setAsked(false))
  }
  const keep = (): void => {
    setAsked(false)
    setKept(true)
  }
  const escape = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') keep()
  }
  return (
    <span className="row end-row">
      <button type="button" className="btn sm" aria-label={t`Delete ${model.name}`} onClick={remove} onKeyDown={escape}>
        <Trans>Delete</Trans>
      </button>
      {/* Enter pressed twice deletes nothing. */}
      <button type="button" className="btn quiet sm" ref={takesFocus} onClick={keep} onKeyDown={escape}>
        <Trans>Keep</Trans>
      </button>
    </span>
  )
}
