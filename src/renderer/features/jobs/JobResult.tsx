/** Input and output of a job. */
import { Plural, Trans, useLingui } from '@lingui/react/macro'
import type { WorkDetail } from '#shared/contract/jobs'
import { ocrLine, type JobInput as Input, type OcrLine } from '#shared/domain/job'
import { toast } from '../../data/store'
import { count, percent } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { PictureWithLines } from './Picture'

export function JobInput({ input }: { input: Input }) {
  switch (input.kind) {
    case 'chat':
      return (
        <div className="text-box">
          {input.messages.map((message, index) => (
            <p key={index}>
              <span className="muted">{message.role}: </span>
              {message.content}
            </p>
          ))}
        </div>
      )
    case 'embed':
      return (
        <div className="text-box">
          {input.texts.slice(0, 20).map((text, index) => (
            <p key={index}>{text}</p>
          ))}
          {input.texts.length > 20 && <p className="muted">{count(input.texts.length)}</p>}
        </div>
      )
    case 'ocr':
      return (
        <p className="muted note">
          <Trans>A picture, shown with the output.</Trans>
        </p>
      )
  }
}

/** The output by its kind: text, vectors, or lines over the picture. */
export function JobOutput({ detail }: { detail: WorkDetail }) {
  const { output, input } = detail
  if (output === null) return null
  if (typeof output === 'string')
    return <div className="text-box">{output === '' ? <Trans>An empty answer.</Trans> : output}</div>
  if (detail.kind === 'ocr') {
    const lines = output.flatMap((line) => {
      const parsed = ocrLine.safeParse(line)
      return parsed.success ? [parsed.data] : []
    })
    return <OcrResult lines={lines} image={input?.kind === 'ocr' ? input.image : null} />
  }
  return <Vectors vectors={output as number[][]} />
}

function OcrResult({ lines, image }: { lines: readonly OcrLine[]; image: string | null }) {
  const { t } = useLingui()
  return (
    <div className="result">
      {image !== null && <PictureWithLines image={image} lines={lines.filter(({ page = 1 }) => page === 1)} />}
      {lines.length === 0 ? (
        <p className="soft">
          <Trans>No text was found in this picture.</Trans>
        </p>
      ) : (
        <>
          <div className="spread">
            <span className="soft">
              <Plural value={lines.length} one="# line" other="# lines" />
            </span>
            <CopyButton text={lines.map((line) => line.text).join('\n')} label={t`Copy the text`} />
          </div>
          <ol className="text-box lines">
            {lines.map((line, index) => (
              <li key={index}>
                <span>{line.text}</span>
                {line.page !== undefined && <span className="muted">{t`page ${line.page}`}</span>}
                <span className="muted num" title={t`Confidence`}>
                  {percent(line.confidence)}
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  )
}

const FIRST_NUMBERS = 6

function Vectors({ vectors }: { vectors: readonly number[][] }) {
  const { t } = useLingui()
  const dimensions = vectors[0]?.length ?? 0
  return (
    <div className="result">
      <div className="spread">
        <span className="soft">
          <Plural value={vectors.length} one="# vector" other="# vectors" />, {t`${count(dimensions)} dimensions`}
        </span>
        <CopyButton text={JSON.stringify(vectors)} label={t`Copy all numbers`} />
      </div>
      <ol className="text-box lines mono">
        {vectors.slice(0, 20).map((vector, index) => (
          <li key={index}>
            {vector
              .slice(0, FIRST_NUMBERS)
              .map((number) => number.toFixed(4).replace('-', '\u2212'))
              .join('  ')}
            {vector.length > FIRST_NUMBERS && ' …'}
          </li>
        ))}
      </ol>
    </div>
  )
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useLingui()
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => toast(t`Copied`),
      () => toast(t`This browser did not allow copying`),
    )
  }
  return (
    <button type="button" className="btn sm" onClick={copy}>
      <Icon name="copy" small />
      {label}
    </button>
  )
}
