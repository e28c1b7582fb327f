import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { Model, VerifiedModel } from '#shared/contract/models'
import type { Failure } from '#shared/domain/errors'
import { useAnswer } from '../../data/answer'
import { client } from '../../data/client'
import { asFailure, toast } from '../../data/store'
import { bytes, count, shortId } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { Empty, Loaded, Panel, Problem } from '../../ui/parts'

export function Models() {
  const { t } = useLingui()
  const answer = useAnswer('models.list', null, { on: ['models.changed'] })
  const [verified, setVerified] = useState<readonly VerifiedModel[] | null>(null)
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const verify = (): void => {
    setBusy(true)
    setFailure(null)
    client
      .call('models.verify', null)
      .then((models) => {
        setVerified(models)
        const bad = models.filter((model) => model.files.some((file) => !file.ok)).length
        if (bad === 0) toast(t`Every file is as its card says`, t`${count(models.length)} models checked`)
        answer.reload()
      })
      .catch((error: unknown) => setFailure(asFailure(error)))
      .finally(() => setBusy(false))
  }
  const remove = (model: Model): void => {
    setFailure(null)
    client.call('models.remove', { id: model.id }).then(answer.reload, (error: unknown) => setFailure(asFailure(error)))
  }
  return (
    <>
      <AddModel onAdded={answer.reload} />
      <Panel
        title={t`Installed`}
        end={
          <button type="button" className="btn sm" disabled={busy} onClick={verify}>
            {busy ? <Trans>Checking files</Trans> : <Trans>Check all files</Trans>}
          </button>
        }
      >
        {failure && (
          <div className="in">
            <Problem failure={failure} />
          </div>
        )}
        <div className="rule-top">
          <Loaded answer={answer}>
            {(models) =>
              models.length === 0 ? (
                <Empty title={t`No model yet`}>
                  <Trans>Add a GGUF file or a folder above. Lode checks each file before it takes it.</Trans>
                </Empty>
              ) : (
                <ul className="list">
                  {models.map((model) => (
                    <ModelRow
                      key={model.id}
                      model={model}
                      verified={verified?.find((one) => one.id === model.id)}
                      onRemove={() => remove(model)}
                    />
                  ))}
                </ul>
              )
            }
          </Loaded>
        </div>
      </Panel>
    </>
  )
}

function ModelRow({
  model,
  verified,
  onRemove,
}: {
  model: Model
  verified: VerifiedModel | undefined
  onRemove: () => void
}) {
  const { t } = useLingui()
  const [asked, setAsked] = useState(false)
  const states: Record<Model['state'], string> = {
    ready: t`ready`,
    'missing-file': t`a file is missing`,
    'wrong-hash': t`a file is not as its card says`,
  }
  const bad = verified?.files.filter((file) => !file.ok).map((file) => file.path) ?? []
  const ok = model.state === 'ready' && bad.length === 0
  return (
    <li>
      <i className={`k-${model.kind} kind-mark`} />
      <div>
        <b className="strong">{model.name}</b> <span className="mono muted">{model.id}</span>
        <div className="soft">
          {model.kind}, {bytes(model.bytes)}, {model.licence}
          {model.context > 0 && t`, context ${count(model.context)} tokens`}
        </div>
        <div className="muted note cut" title={model.source}>
          {model.source}
        </div>
        <div className="muted note cut">
          <span className="mono" title={model.hash}>
            {shortId(model.hash)}
          </span>{' '}
          <span className={ok ? 'ok' : 'bad'}>
            {bad.length > 0 ? t`not as the card says: ${bad.join(', ')}` : states[model.state]}
            {ok && verified ? t`, ${count(verified.files.length)} files checked` : ''}
          </span>
        </div>
      </div>
      {model.builtIn ? (
        <span className="tag" title={t`Comes with Lode and cannot be removed`}>{t`comes with Lode`}</span>
      ) : asked ? (
        <span className="row">
          <button type="button" className="btn sm" onClick={onRemove}>
            <Trans>Remove from disk</Trans>
          </button>
          <button type="button" className="btn quiet sm" onClick={() => setAsked(false)}>
            <Trans>Keep</Trans>
          </button>
        </span>
      ) : (
        <button type="button" className="btn sm" aria-label={t`Remove ${model.name}`} onClick={() => setAsked(true)}>
          <Trans>Remove</Trans>
        </button>
      )}
    </li>
  )
}

function AddModel({ onAdded }: { onAdded: () => void }) {
  const { t } = useLingui()
  const [folder, setFolder] = useState('')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const add = (): void => {
    setBusy(true)
    setFailure(null)
    client
      .call('models.add', { path: folder.trim() })
      .then((model) => {
        setFolder('')
        toast(t`${model.name} is ready`, t`${model.kind}, ${bytes(model.bytes)}`)
        onAdded()
      })
      .catch((error: unknown) => setFailure(asFailure(error)))
      .finally(() => setBusy(false))
  }
  return (
    <Panel title={t`Add a model`}>
      <form
        className="in add-model"
        onSubmit={(event) => {
          event.preventDefault()
          if (folder.trim() !== '') add()
        }}
      >
        <div className="field">
          <label htmlFor="model-folder">{t`GGUF file or folder on this computer`}</label>
          <div className="row">
            <span className="input grow">
              <input
                id="model-folder"
                className="mono"
                value={folder}
                spellCheck={false}
                placeholder="/home/…/models/all-minilm-l6-v2"
                onChange={(event) => setFolder(event.target.value)}
              />
            </span>
            <button
              type="submit"
              className="btn"
              disabled={busy || folder.trim() === ''}
              title={folder.trim() === '' ? t`Write the path first` : undefined}
            >
              <Icon name="plus" small />
              {busy ? <Trans>Checking and copying</Trans> : <Trans>Add</Trans>}
            </button>
          </div>
          <span className="help">
            <Trans>
              A GGUF file, from which Lode makes a graph of its own, or a folder with an ONNX model, its tokenizer and
              its configuration. Every file is checked, then copied; nothing in it is run as a program.
            </Trans>
          </span>
        </div>
        {failure && <Problem failure={failure} />}
      </form>
    </Panel>
  )
}
