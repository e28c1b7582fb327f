/** Drivers of other devices: what was added, how it stands, and what the conformance kit found. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { DriverRow, KeptDriverCheck } from '#shared/contract/drivers'
import { reportFailure } from '../../app/Notices'
import { useAnswer } from '../../data/answer'
import { client } from '../../data/client'
import { asFailure, toast } from '../../data/store'
import { dayClock, joined, scaled, shortId } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { Empty, Loaded, Mark, Panel, type MarkState } from '../../ui/parts'
import { AddDriver } from './AddDriver'
import { useMessages } from '../../ui/messages'

export function Drivers() {
  const { t } = useLingui()
  const answer = useAnswer('drivers.list', null, { on: ['drivers.changed'], restMilliseconds: 200 })
  const checks = useAnswer('drivers.checks', null, { on: ['drivers.changed'] })
  return (
    <Panel
      title={t`Drivers`}
      note={<Trans>of other devices, added by you</Trans>}
      end={<AddDriver onAdded={answer.reload} />}
    >
      <div className="rule-top">
        <Loaded answer={answer}>
          {(drivers) =>
            drivers.length === 0 ? (
              <Empty title={t`No drivers added`}>
                <Trans>
                  The maker of an accelerator can give you a driver for it. It runs only after you have approved its
                  name and hash, in processes of its own.
                </Trans>
              </Empty>
            ) : (
              <ul className="list">
                {drivers.map((driver) => (
                  <DriverLine
                    key={driver.name}
                    driver={driver}
                    check={checks.data?.find(({ name }) => name === driver.name)}
                    onChanged={answer.reload}
                    onChecked={checks.reload}
                  />
                ))}
              </ul>
            )
          }
        </Loaded>
      </div>
    </Panel>
  )
}

const MARKS: Record<DriverRow['state'], MarkState> = {
  checking: 'paused',
  ready: 'mining',
  quarantined: 'error',
  changed: 'error',
  unsupported: 'idle',
}

interface DriverLineProps {
  driver: DriverRow
  check: KeptDriverCheck | undefined
  onChanged: () => void
  onChecked: () => void
}

function DriverLine({ driver, check, onChanged, onChecked }: DriverLineProps) {
  const messages = useMessages()
  const { t } = useLingui()
  const { name, version, vendor, licence, sha256, state, reason, devices } = driver
  const words: Record<DriverRow['state'], string> = {
    checking: t`being tried`,
    ready: t`ready`,
    quarantined: t`quarantined`,
    changed: t`changed since you approved it`,
    unsupported: t`not for this computer`,
  }
  const [busy, setBusy] = useState<'check' | 'retry' | 'remove' | null>(null)
  const [isAsked, setAsked] = useState(false)
  const ask = (what: NonNullable<typeof busy>, work: () => Promise<unknown>): void => {
    setBusy(what)
    work()
      .catch((error: unknown) => reportFailure(asFailure(error)))
      .finally(() => setBusy(null))
  }
  const runCheck = async (): Promise<void> => {
    const found = await client.call('drivers.check', { name })
    onChecked()
    toast(found.ok ? t`${name} passed the conformance check` : t`${name} did not pass the conformance check`)
  }
  return (
    <li>
      <Mark small state={MARKS[state]} />
      <div className="driver">
        <div>
          <b className="strong">{name}</b> {version} <span className="tag">{words[state]}</span>
        </div>
        <div className="help">
          {vendor}, {licence}, SHA-256{' '}
          <span className="mono" title={sha256}>
            {shortId(sha256)}
          </span>
          {devices.length > 0 && t`, drives ${devices.map((device) => device.name).join(', ')}`}
        </div>
        {reason !== undefined && (
          <div className={state === 'quarantined' ? 'bad' : 'help'}>{messages.text(reason)}</div>
        )}
        {busy === 'check' ? (
          <output className="help">
            <Trans>The conformance check runs; it takes some minutes.</Trans>
          </output>
        ) : (
          check && <CheckResult check={check} />
        )}
      </div>
      <div className="row end">
        {(state === 'quarantined' || state === 'changed') && (
          <button
            type="button"
            className="btn sm"
            aria-label={t`Try ${name} again`}
            disabled={busy !== null}
            onClick={() => ask('retry', () => client.call('drivers.retry', { name }).then(onChanged))}
          >
            <Trans>Retry</Trans>
          </button>
        )}
        <button
          type="button"
          className={`btn sm ${busy === 'check' ? 'busy' : ''}`}
          aria-label={t`Check ${name}`}
          disabled={busy !== null || state === 'changed' || state === 'unsupported'}
          onClick={() => ask('check', runCheck)}
        >
          {busy === 'check' ? <Trans>Checking</Trans> : <Trans>Check</Trans>}
        </button>
        {isAsked ? (
          <>
            <button
              type="button"
              className="btn sm"
              disabled={busy !== null}
              onClick={() => ask('remove', () => client.call('drivers.remove', { name }).then(onChanged))}
            >
              <Trans>Remove it</Trans>
            </button>
            <button type="button" className="btn quiet sm" onClick={() => setAsked(false)}>
              <Trans>Keep</Trans>
            </button>
          </>
        ) : (
          <button
            type="button"
            className="btn sm"
            aria-label={t`Remove ${name}`}
            disabled={busy !== null}
            onClick={() => setAsked(true)}
          >
            <Trans>Remove</Trans>
          </button>
        )}
      </div>
    </li>
  )
}

function CheckResult({ check }: { check: KeptDriverCheck }) {
  const { t } = useLingui()
  const failed = check.checks.filter(({ ok }) => !ok)
  const passed = check.checks.length - failed.length
  const speed = check.macsPerSecond === null ? '' : `, ${joined(scaled(check.macsPerSecond, 'MAC/s'))}`
  return (
    <details className="check-result">
      <summary className={check.ok ? 'ok' : 'bad'}>
        <Icon name={check.ok ? 'check' : 'close'} small />{' '}
        {check.ok
          ? t`Conformance: all ${passed} checks passed on ${dayClock(check.at)}${speed}`
          : t`Conformance: ${failed.length} of ${check.checks.length} checks failed on ${dayClock(check.at)}`}
      </summary>
      <ul className="sentences">
        {check.checks.map(({ id, ok, detail }) => (
          <li key={id} className={ok ? 'help' : 'bad'}>
            <span className="mono">{id}</span>: {detail}
          </li>
        ))}
      </ul>
    </details>
  )
}
