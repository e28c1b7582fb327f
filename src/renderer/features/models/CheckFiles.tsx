import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure, toast } from '../../data/store'
import { count } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { useBadFiles } from './bad-files'

/** Reads every file of every model again. */
export function CheckFiles({ onChecked }: { onChecked: () => void }) {
  const { t } = useLingui()
  const [busy, setBusy] = useState(false)
  const check = (): void => {
    if (busy) return
    setBusy(true)
    client
      .call('models.verify', null)
      .then((models) => {
        const bad = models.map((model) => [model.id, model.files.filter((file) => !file.ok).map((file) => file.path)])
        useBadFiles.setState({ files: Object.fromEntries(bad) as Record<string, string[]> })
        if (bad.every(([, files]) => files?.length === 0))
          toast(t`Every file is as its manifest says`, t`${count(models.length)} models checked`)
        onChecked()
      })
      .catch((error: unknown) => reportFailure(asFailure(error)))
      .finally(() => setBusy(false))
  }
  return (
    <button type="button" className="btn" aria-disabled={busy} onClick={check}>
      <Icon name="check" />
      {busy ? <Trans>Checking files</Trans> : <Trans>Check all files</Trans>}
    </button>
  )
}
