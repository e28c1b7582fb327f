/** One notice at a time, the worst; a failure of what was just asked comes before all. */
import { useState } from 'react'
import { Trans, useLingui } from '@lingui/react/macro'
import { create } from 'zustand'
import type { EngineStatus, Notice } from '#shared/contract/engine'
import type { Failure } from '#shared/domain/errors'
import { client } from '../data/client'
import { asFailure } from '../data/store'
import { sentence } from '../ui/format'
import { Icon } from '../ui/icons'
import { go } from './route'
import { useMessages } from '../ui/messages'

const useReported = create<{ failure: Failure | null }>(() => ({ failure: null }))

/** Shows an expected failure above the screen until it is dismissed or the next command succeeds. */
export function reportFailure(failure: Failure): void {
  useReported.setState({ failure })
}

const WORST_FIRST: readonly Notice['severity'][] = ['error', 'warning', 'info']

export function Notices({ status }: { status: EngineStatus }) {
  const messages = useMessages()
  const { t } = useLingui()
  const failure = useReported((state) => state.failure)
  // A notice that the person hid returns only when the notice changes.
  const [hidden, setHidden] = useState<readonly string[]>([])
  if (failure) {
    return (
      <Line
        severity="error"
        title={sentence(messages.text(failure.words))}
        detail={sentence(messages.action(failure.words))}
        onHide={() => useReported.setState({ failure: null })}
        hideLabel={t`Dismiss`}
      />
    )
  }
  const shown = status.notices.filter((notice) => !hidden.includes(fingerprint(notice)))
  const worst = WORST_FIRST.flatMap((severity) => shown.filter((notice) => notice.severity === severity))[0]
  if (!worst) return null
  const button = worst.action && ACTIONS[worst.action]
  return (
    <Line
      severity={worst.severity}
      title={messages.text(worst.title)}
      detail={worst.detail === null ? '' : messages.text(worst.detail)}
      onHide={() => setHidden([...hidden, fingerprint(worst)])}
      hideLabel={t`Hide`}
    >
      {button && (
        <button type="button" className="btn sm" onClick={() => button.act(worst)}>
          <ActionWords action={worst.action} />
        </button>
      )}
    </Line>
  )
}

const fingerprint = (notice: Notice): string => JSON.stringify([notice.id, notice.title, notice.detail])

const ACTIONS: Record<NonNullable<Notice['action']>, { act(notice: Notice): void }> = {
  'retry-device': {
    act({ deviceId }) {
      if (deviceId !== undefined)
        client.call('devices.retry', { id: deviceId }).catch((error: unknown) => reportFailure(asFailure(error)))
    },
  },
  'keep-going': {
    act() {
      client.call('engine.keepGoing', { keepGoing: true }).catch((error: unknown) => reportFailure(asFailure(error)))
    },
  },
  'open-devices': { act: ({ deviceId }) => go('devices', deviceId ?? '') },
  'open-settings': { act: () => go('settings') },
}

function ActionWords({ action }: { action: Notice['action'] }) {
  switch (action) {
    case 'retry-device':
      return <Trans>Retry</Trans>
    case 'keep-going':
      return <Trans>Keep going</Trans>
    case 'open-devices':
      return <Trans>Open Devices</Trans>
    case 'open-settings':
      return <Trans>Open Settings</Trans>
    case undefined:
      return null
  }
}

interface LineProps {
  severity: Notice['severity']
  title: string
  detail: string
  hideLabel: string
  onHide: () => void
  children?: React.ReactNode
}

function Line({ severity, title, detail, hideLabel, onHide, children }: LineProps) {
  return (
    <div className={`notice ${severity}`} role={severity === 'error' ? 'alert' : undefined}>
      <Icon name={severity === 'info' ? 'info' : severity} />
      <span className="cut grow" title={`${title} ${detail}`}>
        <b className="strong">{title}</b> <span className="soft">{detail}</span>
      </span>
      {children}
      <button type="button" className="btn quiet sm icon" aria-label={hideLabel} title={hideLabel} onClick={onHide}>
        <Icon name="close" small />
      </button>
    </div>
  )
}
