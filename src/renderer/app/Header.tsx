/** The state sentence left, the commands right; the same on every screen. */
import { useState } from 'react'
import { Menu } from '@base-ui/react/menu'
import { Trans, useLingui } from '@lingui/react/macro'
import type { EngineStatus } from '#shared/contract/engine'
import type { MethodName, Params } from '#shared/contract/index'
import { client } from '../data/client'
import type { LinkState } from '../data/connect'
import { useNow } from '../data/live'
import { asFailure, useStore } from '../data/store'
import { clock } from '../ui/format'
import { Icon } from '../ui/icons'
import { Mark } from '../ui/parts'
import { useSay } from '../ui/say'
import { reportFailure } from './Notices'
import { stateWords, usableDevices } from './words'
import { useMessages } from '../ui/messages'

export function Header({ status, link }: { status: EngineStatus; link: LinkState }) {
  const messages = useMessages()
  const say = useSay()
  const now = useNow(5000)
  const lastReadyAt = useStore((state) => state.lastReadyAt)
  const { t } = useLingui()
  const lost = link !== 'ready'
  const words = lost
    ? {
        mark: 'error' as const,
        title: t`Lode does not answer`,
        detail:
          lastReadyAt === null
            ? t`It is tried again by itself.`
            : t`All this is from ${clock(lastReadyAt)}. If Lode was closed, start it again and open its link.`,
      }
    : stateWords(status, now, say, messages)
  return (
    <header className="head">
      <div className="state">
        <Mark state={words.mark} />
        <output className="say">{words.title}</output>
        <p className="cut" title={words.detail}>
          {words.detail}
        </p>
      </div>
      <Commands status={status} disabled={lost} />
    </header>
  )
}

function Commands({ status, disabled }: { status: EngineStatus; disabled: boolean }) {
  const { t } = useLingui()
  const [asked, setAsked] = useState(false)
  const act = <M extends MethodName>(method: M, params: Params<M>): void => {
    setAsked(true)
    client
      .call(method, params)
      .then((answer) => {
        if (method !== 'engine.quit') useStore.setState({ status: answer as EngineStatus })
      })
      .catch((error: unknown) => reportFailure(asFailure(error)))
      .finally(() => setAsked(false))
  }
  const wait = disabled || asked
  const idle = status.state === 'stopped' || status.state === 'faulted'
  const keepGoing =
    status.pausedBecause.includes('practice-hour') || status.stopsAt !== null ? (
      <button
        type="button"
        className={status.pausedBecause.includes('practice-hour') ? 'btn primary big' : 'btn quiet'}
        disabled={wait}
        onClick={() => act('engine.keepGoing', { keepGoing: true })}
      >
        <Trans>Keep going</Trans>
      </button>
    ) : null
  if (idle) {
    const none = usableDevices(status) === 0
    return (
      <button
        type="button"
        className="btn primary big"
        disabled={wait || none}
        title={none ? t`No device can mine; Devices says why` : undefined}
        onClick={() => act('engine.start', null)}
      >
        <Icon name="play" small />
        <Trans>Start mining</Trans>
      </button>
    )
  }
  const finishing = status.state === 'finishing'
  return (
    <>
      {keepGoing}
      {!finishing && (
        <button
          type="button"
          className="btn quiet wide-only"
          disabled={wait}
          onClick={() => act('engine.stop', { finish: true })}
        >
          <Trans>Finish, then stop</Trans>
        </button>
      )}
      <span className="split">
        <button
          type="button"
          className="btn stop big"
          disabled={wait}
          onClick={() => act('engine.stop', { finish: false })}
        >
          <Icon name="stop" small />
          <Trans>Stop</Trans>
        </button>
        <Menu.Root>
          <Menu.Trigger className="btn stop big" disabled={wait} aria-label={t`More ways to stop`}>
            <Icon name="down" />
          </Menu.Trigger>
          <Menu.Portal>
            <Menu.Positioner className="menu-place" align="end" sideOffset={4}>
              <Menu.Popup className="menu">
                <Menu.Item disabled={finishing} onClick={() => act('engine.stop', { finish: true })}>
                  <Trans>Finish, then stop</Trans>
                </Menu.Item>
                <Menu.Item onClick={() => act('engine.stop', { finish: false })}>
                  <Trans>Stop now</Trans>
                </Menu.Item>
              </Menu.Popup>
            </Menu.Positioner>
          </Menu.Portal>
        </Menu.Root>
      </span>
    </>
  )
}
