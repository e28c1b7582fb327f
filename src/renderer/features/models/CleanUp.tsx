/** Deletes the models that earned longest ago until the rest is within a quota. Names them first and deletes after a second click. */
import { Plural, Trans, useLingui } from '@lingui/react/macro'
import { useId, useState } from 'react'
import type { Result } from '#shared/contract/index'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure, toast } from '../../data/store'
import { bytes } from '../../ui/format'
import { takesFocus } from '../../ui/kept-focus'

const GIGA = 1e9

/** A positive number, written with a point or a comma; null for any other text. */
function quotaBytes(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() === '' || !Number.isFinite(value) || value < 0 ? null : Math.floor(value * GIGA)
}

export function CleanUp({ onRemoved }: { onRemoved: () => void }) {
  const { t } = useLingui()
  const id = useId()
  const [text, setText] = useState('')
  const [plan, setPlan] = useState<Result<'models.gc'> | null>(null)
  const quota = quotaBytes(text)
  const ask = (dryRun: boolean): void => {
    if (quota === null) return
    client
      .call('models.gc', { quotaBytes: quota, dryRun })
      .then((result) => {
        setPlan(dryRun ? result : null)
        if (dryRun) return
        toast(t`${bytes(result.freedBytes)} freed`)
        onRemoved()
      })
      .catch((error: unknown) => reportFailure(asFailure(error)))
  }
  return (
    <form
      className="clean-up"
      onSubmit={(event) => {
        event.preventDefault()
        ask(true)
      }}
    >
      <label htmlFor={id}>{t`Keep at most`}</label>
      <span className="input quota">
        <input
          id={id}
          inputMode="decimal"
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setPlan(null)
          }}
        />
        <span className="u">GB</span>
      </span>
      {plan === null ? (
        <>
          <button type="submit" className="btn sm" disabled={quota === null}>
            <Trans>Clean up</Trans>
          </button>
          <span className="muted note">
            <Trans>Removes the models that earned longest ago, never one that is in use.</Trans>
          </span>
        </>
      ) : plan.removed.length === 0 ? (
        <output className="soft">
          <Trans>Nothing is to be removed: {bytes(plan.bytes)} of models are installed.</Trans>
        </output>
      ) : (
        <>
          <button type="button" className="btn sm" onClick={() => ask(false)}>
            <Plural value={plan.removed.length} one="Delete # model" other="Delete # models" />
          </button>
          <button type="button" className="btn quiet sm" ref={takesFocus} onClick={() => setPlan(null)}>
            <Trans>Keep</Trans>
          </button>
          <span className="soft">
            {t`${plan.removed.map((model) => model.id).join(', ')}: ${bytes(plan.freedBytes)}`}
          </span>
        </>
      )}
    </form>
  )
}
