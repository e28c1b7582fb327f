/** The dialog in which a person runs a job: a picture to read, texts to embed, or a question to ask. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { JobInput, JobKind } from '#shared/domain/job'
import { MAX_IMAGE_BYTES } from '#shared/domain/job'
import { href } from '../../app/route'
import { useAnswer } from '../../data/answer'
import { client } from '../../data/client'
import { asFailure, useLinked } from '../../data/store'
import { Dialog } from '../../ui/dialog'
import { Choice, Problem, Segmented } from '../../ui/parts'
import { ChooseImage } from './ChooseImage'
import { toBase64 } from './files'
import { RunningJob } from './RunningJob'
import { useTokens } from './tokens'

interface RunJobProps {
  /** a picture that was dropped on the screen */
  image: File | null
  onClose: () => void
  onShow: (id: string) => void
}

export function RunJob({ image, onClose, onShow }: RunJobProps) {
  const { t } = useLingui()
  const [kind, setKind] = useState<JobKind>('ocr')
  const [file, setFile] = useState<File | null>(image)
  const [texts, setTexts] = useState('')
  const [question, setQuestion] = useState('')
  const [maxTokens, setMaxTokens] = useState(256)
  const [chosenModel, setChosenModel] = useState('')
  const [id, setId] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const linked = useLinked()
  const [failure, setFailure] = useState<Failure | null>(null)
  const tokens = useTokens(id)
  const models = useAnswer('models.list', null, { on: ['models.changed'] })
  const ready = (models.data ?? []).filter((model) => model.kind === kind && model.state === 'ready')
  const model = ready.find((one) => one.id === chosenModel) ?? ready[0]
  const lines = texts.split('\n').filter((line) => line.trim() !== '')
  const complete = kind === 'ocr' ? file !== null : kind === 'embed' ? lines.length > 0 : question.trim() !== ''

  const run = (): void => {
    setBusy(true)
    setFailure(null)
    readInput()
      .then((input) => client.call('jobs.submit', { input, ...(model ? { model: model.id } : {}) }))
      .then((answer) => setId(answer.id))
      .catch((error: unknown) => setFailure(asFailure(error)))
      .finally(() => setBusy(false))
  }
  const readInput = async (): Promise<JobInput> => {
    if (kind === 'chat') return { kind, messages: [{ role: 'user', content: question }], maxTokens }
    if (kind === 'embed') return { kind, texts: lines }
    if (!file) throw new Failure('invalid-input', message('screen-no-picture'))
    if (file.size > MAX_IMAGE_BYTES)
      throw new Failure(
        'invalid-input',
        message('screen-picture-too-large', { bytes: file.size, most: MAX_IMAGE_BYTES }),
      )
    return { kind, image: await toBase64(file) }
  }
  const again = (): void => {
    setId(null)
    setFailure(null)
  }

  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={<Trans>Run a job</Trans>}
      description={<Trans>It runs on this computer and earns credit like any other job.</Trans>}
      footer={
        <>
          <span className="grow" />
          {id !== null && (
            <>
              <button type="button" className="btn" onClick={() => onShow(id)}>
                <Trans>Show it in the table</Trans>
              </button>
              <button type="button" className="btn" onClick={again}>
                <Trans>Run another</Trans>
              </button>
            </>
          )}
          <button type="button" className="btn" onClick={onClose}>
            <Trans>Close</Trans>
          </button>
          {id === null && (
            <button
              type="button"
              className="btn primary"
              disabled={!complete || busy || !model || !linked}
              title={
                !linked
                  ? t`The engine is gone`
                  : model
                    ? complete
                      ? undefined
                      : t`There is nothing to run yet`
                    : t`There is no model of this kind yet`
              }
              onClick={run}
            >
              <Trans>Run</Trans>
            </button>
          )}
        </>
      }
    >
      {id !== null ? (
        <RunningJob id={id} tokens={tokens} />
      ) : (
        <>
          <div className="spread">
            <Segmented
              label={t`What to do`}
              value={kind}
              onChange={setKind}
              choices={[
                { value: 'ocr', text: t`Read a picture` },
                { value: 'embed', text: t`Embed texts` },
                { value: 'chat', text: t`Ask` },
              ]}
            />
            {ready.length > 0 && (
              <Choice
                inline
                label={t`Model`}
                value={model?.id ?? ''}
                onChange={setChosenModel}
                choices={ready.map((one) => ({ value: one.id, text: one.name }))}
              />
            )}
          </div>
          {models.data && ready.length === 0 && (
            <div className="notice info">
              <span className="soft grow">
                <Trans>There is no model for this yet. Get one, or bring your own, on the Models screen.</Trans>
              </span>
              <a className="btn sm" href={href('models')} onClick={onClose}>
                <Trans>Open Models</Trans>
              </a>
            </div>
          )}
          {models.failure && !models.data && <Problem failure={models.failure} onRetry={models.reload} />}
          {kind === 'ocr' && <ChooseImage file={file} onFile={setFile} />}
          {kind === 'embed' && (
            <div className="field">
              <label htmlFor="run-texts">{t`One text per line`}</label>
              <textarea
                id="run-texts"
                className="area"
                rows={7}
                value={texts}
                onChange={(event) => setTexts(event.target.value)}
              />
            </div>
          )}
          {kind === 'chat' && (
            <>
              <div className="field">
                <label htmlFor="run-question">{t`Question or text`}</label>
                <textarea
                  id="run-question"
                  className="area"
                  rows={6}
                  value={question}
                  onChange={(event) => setQuestion(event.target.value)}
                />
              </div>
              <div className="row">
                <label htmlFor="run-tokens">{t`At most`}</label>
                <span className="input tokens-input">
                  <input
                    id="run-tokens"
                    type="number"
                    min={1}
                    max={8192}
                    value={maxTokens}
                    onChange={(event) =>
                      setMaxTokens(Math.min(8192, Math.max(1, Number.parseInt(event.target.value, 10) || 1)))
                    }
                  />
                  <span className="u">{t`tokens`}</span>
                </span>
              </div>
            </>
          )}
          {failure && <Problem failure={failure} />}
        </>
      )}
    </Dialog>
  )
}
