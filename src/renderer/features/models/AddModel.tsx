/** Bring a model: drop it, choose it, or write where it is. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useId, useState } from 'react'
import { Icon } from '../../ui/icons'
import { Panel, Problem } from '../../ui/parts'
import { chosenFiles } from './take-files'
import type { Adding } from './use-adding'

export function AddModel({ adding }: { adding: Adding }) {
  const { t } = useLingui()
  const ids = { file: useId(), folder: useId(), path: useId() }
  const [path, setPath] = useState('')
  const [over, setOver] = useState(false)
  const { busy, failure, addFiles, addPath } = adding
  return (
    <Panel title={t`Bring your own`}>
      <form
        className="in add-model"
        onSubmit={(event) => {
          event.preventDefault()
          if (path.trim() !== '') addPath(path.trim())
        }}
      >
        <div
          className={`drop ${over ? 'over' : ''}`}
          onDragOver={() => setOver(busy === null)}
          onDragLeave={() => setOver(false)}
          onDrop={() => setOver(false)}
        >
          {busy === null ? (
            <Trans>Drop a GGUF, safetensors or ONNX file here, or the folder of a model</Trans>
          ) : (
            <output>{busy}</output>
          )}
          <span className="row choose">
            <label className="btn sm" htmlFor={ids.file}>
              <Icon name="plus" small /> <Trans>Choose files</Trans>
              <input
                id={ids.file}
                className="sr"
                type="file"
                multiple
                disabled={busy !== null}
                onChange={(event) => {
                  addFiles(chosenFiles(event.target.files))
                  event.target.value = ''
                }}
              />
            </label>
            <label className="btn sm" htmlFor={ids.folder}>
              <Icon name="plus" small /> <Trans>Choose a folder</Trans>
              <input
                id={ids.folder}
                className="sr"
                type="file"
                multiple
                disabled={busy !== null}
                ref={(element) => element?.setAttribute('webkitdirectory', '')}
                onChange={(event) => {
                  addFiles(chosenFiles(event.target.files))
                  event.target.value = ''
                }}
              />
            </label>
          </span>
          <span className="muted note">
            <Trans>
              Every file is checked, then copied; nothing in it is run as a program. Pickles and custom operators are
              refused.
            </Trans>
          </span>
        </div>
        <div className="field">
          <label htmlFor={ids.path}>{t`Or a path on this computer`}</label>
          <div className="row">
            <span className="input grow">
              <input
                id={ids.path}
                className="mono"
                value={path}
                spellCheck={false}
                placeholder="/home/…/models/Qwen3-0.6B-Q8_0.gguf"
                onChange={(event) => setPath(event.target.value)}
              />
            </span>
            <button
              type="submit"
              className="btn"
              aria-disabled={busy !== null}
              disabled={path.trim() === ''}
              title={path.trim() === '' ? t`Write the path first` : undefined}
            >
              <Trans>Add</Trans>
            </button>
          </div>
        </div>
        {failure && <Problem failure={failure} />}
      </form>
    </Panel>
  )
}
