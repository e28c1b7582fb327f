import { Trans, useLingui } from '@lingui/react/macro'
import type { Download } from '#shared/contract/models'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure } from '../../data/store'
import { bytes, sentence, span } from '../../ui/format'
import { Mark, type MarkState } from '../../ui/parts'
import { useMessages } from '../../ui/messages'

const MARKS: Record<Download['state'], MarkState> = {
  waiting: 'idle',
  fetching: 'mining',
  checking: 'mining',
  installing: 'mining',
  paused: 'paused',
  failed: 'error',
  done: 'mining',
  cancelled: 'idle',
}

/** One download: how far it is, how fast, what is left, and what can be done with it. */
export function DownloadRow({ download, onChanged }: { download: Download; onChanged: () => void }) {
  const { t } = useLingui()
  const { id, name, state } = download
  const act = (method: 'models.get' | 'models.pause' | 'models.cancel') => (): void => {
    client.call(method, { id }).then(onChanged, (error: unknown) => reportFailure(asFailure(error)))
  }
  const goOn = { label: t`Go on with ${name}`, word: t`Go on`, method: 'models.get' } as const
  const pause = { label: t`Pause ${name}`, word: t`Pause`, method: 'models.pause' } as const
  // Pause and Go on are one button, so that the button keeps the focus while its word changes.
  const next = {
    waiting: pause,
    fetching: pause,
    checking: pause,
    paused: goOn,
    failed: { ...goOn, label: t`Try again: ${name}`, word: t`Try again` },
    installing: null,
    done: null,
    cancelled: null,
  }[state]
  return (
    <li>
      <Mark small state={MARKS[state]} />
      <div>
        <div className="spread">
          <b className="strong cut" title={name}>
            {name}
          </b>
          <span className="row">
            {next && (
              <button
                type="button"
                className="btn sm"
                aria-label={next.label}
                title={
                  next === pause && download.beginsAnew
                    ? t`A Python package starts from the beginning after a pause`
                    : undefined
                }
                onClick={act(next.method)}
              >
                {next.word}
              </button>
            )}
            {state !== 'installing' && (
              <button
                type="button"
                className="btn quiet sm"
                aria-label={state === 'failed' ? t`Discard ${name}` : t`Cancel ${name}`}
                onClick={act('models.cancel')}
              >
                {state === 'failed' ? <Trans>Discard</Trans> : <Trans>Cancel</Trans>}
              </button>
            )}
          </span>
        </div>
        <progress
          className="progress"
          value={download.bytesDone}
          max={download.bytes}
          aria-label={t`${name}, fetched`}
        />
        <div className={state === 'failed' ? 'bad' : 'soft'}>
          <Words download={download} />
        </div>
      </div>
    </li>
  )
}

function Words({ download }: { download: Download }) {
  const messages = useMessages()
  const { t } = useLingui()
  const { state, bytesPerSecond, secondsLeft, source, failure } = download
  const amount = t`${bytes(download.bytesDone)} of ${bytes(download.bytes)}`
  switch (state) {
    case 'waiting':
      return <>{t`Waits for the one before it. ${amount}`}</>
    case 'fetching': {
      const parts = [amount]
      if (bytesPerSecond !== null && bytesPerSecond > 0) parts.push(t`${bytes(Math.round(bytesPerSecond))}/s`)
      if (secondsLeft !== null) parts.push(t`${span(secondsLeft * 1000)} left`)
      parts.push(source === null ? t`connecting` : t`from ${source}`)
      return <>{parts.join(', ')}</>
    }
    case 'checking':
      return <>{t`Checking the hash of what came`}</>
    case 'installing':
      return <>{t`Making its graph and running it once`}</>
    case 'paused':
      return download.beginsAnew ? (
        <>{t`Paused, ${amount} kept. pip keeps no part of a package: the one under way starts from the beginning.`}</>
      ) : (
        <>{t`Paused at ${amount}. It goes on from there.`}</>
      )
    case 'failed':
      return (
        <>
          {failure === null
            ? t`It was not fetched.`
            : `${sentence(messages.text(failure.words))} ${sentence(messages.action(failure.words))}`}
        </>
      )
    case 'done':
      return <>{t`Installed`}</>
    case 'cancelled':
      return <>{t`Cancelled`}</>
  }
}
