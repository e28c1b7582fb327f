/** A new payout address: checked as typed, shown whole, confirmed by its last six characters. */
import { Plural, Trans, useLingui } from '@lingui/react/macro'
import { useEffect, useId, useRef, useState } from 'react'
import type { AddressCheck } from '#shared/contract/settings'
import type { Failure } from '#shared/domain/errors'
import { client } from '../../data/client'
import { asFailure, toast } from '../../data/store'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icons'
import { Problem } from '../../ui/parts'
import { useMessages } from '../../ui/messages'

const LAST = 6

export function AddressDialog({ onClose, onChanged }: { onClose: () => void; onChanged: () => void }) {
  const { t } = useLingui()
  const messages = useMessages()
  const id = useId()
  const [address, setAddress] = useState('')
  const [confirm, setConfirm] = useState('')
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(false)
  const check = useCheck(address.trim())
  const whole = check?.ok ? (check.normalized ?? address.trim()) : null
  const last = whole?.slice(-LAST) ?? ''
  const complete = whole !== null && confirm === last
  const missing = LAST - confirm.length
  const set = (): void => {
    if (!complete) return
    setBusy(true)
    setFailure(null)
    client
      .call('address.set', { address: whole, confirm })
      .then(() => {
        toast(t`Payout address changed`, `${whole.slice(0, 8)}…${last}`)
        onChanged()
      })
      .catch((error: unknown) => setFailure(asFailure(error)))
      .finally(() => setBusy(false))
  }
  const why = whole === null ? t`Type an address first` : t`Type its last six characters first`
  return (
    <Dialog
      open
      onClose={onClose}
      title={<Trans>Payout address</Trans>}
      description={<Trans>EVM (0x…), Bitcoin (1…, 3…, bc1…) or Cosmos (gonka1… and others).</Trans>}
      footer={
        <>
          <span className="muted row note lock-line">
            <Icon name="lock" small />
            <span>
              <Trans>Lode holds no key that can spend money.</Trans>
            </span>
          </span>
          <span className="grow" />
          <button type="button" className="btn" onClick={onClose}>
            <Trans>Cancel</Trans>
          </button>
          <button
            type="button"
            className="btn primary"
            disabled={!complete || busy}
            title={complete ? undefined : why}
            onClick={set}
          >
            <Trans>Use this address</Trans>
          </button>
        </>
      }
    >
      <div className="field">
        <label htmlFor={`${id}-address`}>{t`New address`}</label>
        <div className={`input big ${check && !check.ok ? 'wrong' : ''}`}>
          <input
            id={`${id}-address`}
            className="mono"
            value={address}
            spellCheck={false}
            autoComplete="off"
            maxLength={200}
            aria-invalid={check !== null && !check.ok}
            aria-describedby={`${id}-checks`}
            onChange={(event) => {
              setAddress(event.target.value)
              setConfirm('')
            }}
          />
        </div>
        <ul className="checks" id={`${id}-checks`} aria-live="polite">
          {check?.checks.map((one) => (
            <li key={one.words.code} className={one.ok ? '' : 'bad'}>
              <Icon name={one.ok ? 'check' : 'close'} small />
              {messages.text(one.words)}
            </li>
          ))}
        </ul>
      </div>
      {whole !== null && (
        <>
          <div className="field">
            <span className="label">{t`The whole address`}</span>
            <div className="addr mono" aria-label={whole}>
              {groups(whole).map((group, index) => (
                <span key={`${index}${group}`}>{group}</span>
              ))}
              <span className="last6">{last}</span>
            </div>
            <span className="help">
              <Trans>Compare it with the one in your wallet, not with the clipboard.</Trans>
            </span>
          </div>
          <div className="field">
            <label htmlFor={`${id}-six`}>{t`Type its last six characters`}</label>
            <div className="row">
              <SixBoxes id={`${id}-six`} value={confirm} onChange={setConfirm} onEnter={set} />
              <output className={`help ${confirm.length === LAST && !complete ? 'bad' : ''}`}>
                {complete ? (
                  <Trans>They match.</Trans>
                ) : missing > 0 ? (
                  <Trans>
                    <Plural value={missing} one="# more." other="# more." /> Capitals count.
                  </Trans>
                ) : (
                  <Trans>These are not the last six characters. Capitals count.</Trans>
                )}
              </output>
            </div>
          </div>
        </>
      )}
      {failure && <Problem failure={failure} />}
    </Dialog>
  )
}

/** Everything before the last six, in groups of six from the end, so that the eye can compare them. */
export function groups(address: string): string[] {
  const rest = address.slice(0, -LAST)
  const first = rest.length % LAST
  const parts = first === 0 ? [] : [rest.slice(0, first)]
  for (let at = first; at < rest.length; at += LAST) parts.push(rest.slice(at, at + LAST))
  return parts
}

/** Six boxes drawn over one field, which stays a plain text field for keyboards and screen readers. */
function SixBoxes({
  id,
  value,
  onChange,
  onEnter,
}: {
  id: string
  value: string
  onChange: (value: string) => void
  onEnter: () => void
}) {
  return (
    <div className="six">
      {[0, 1, 2, 3, 4, 5].map((index) => (
        <i key={index} className={`mono ${index === Math.min(value.length, LAST - 1) ? 'cur' : ''}`} aria-hidden="true">
          {value[index] ?? ''}
        </i>
      ))}
      <input
        id={id}
        value={value}
        maxLength={LAST}
        spellCheck={false}
        autoComplete="off"
        onPaste={(event) => event.preventDefault()}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && onEnter()}
      />
    </div>
  )
}

const TYPING_MILLISECONDS = 120

/** The engine's check of the address, a moment after the last key. Null while the address is empty or not checked yet. */
function useCheck(address: string): AddressCheck | null {
  const [result, setResult] = useState<{ address: string; check: AddressCheck } | null>(null)
  const latest = useRef(address)
  useEffect(() => {
    latest.current = address
    if (address === '') return
    const timer = setTimeout(() => {
      client.call('address.check', { address }).then(
        (check) => {
          if (latest.current === address) setResult({ address, check })
        },
        () => setResult(null),
      )
    }, TYPING_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [address])
  return result?.address === address ? result.check : null
}
