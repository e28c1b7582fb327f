/** Adding a model: the step that runs now, and the failure of the last try. */
import { useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { Params } from '#shared/contract/index'
import type { Failure } from '#shared/domain/errors'
import { client } from '../../data/client'
import { asFailure, toast } from '../../data/store'
import { bytes, percent } from '../../ui/format'
import { takeFiles, type ChosenFile } from './take-files'

export interface Adding {
  /** the step that runs now, in words; null while nothing is added */
  busy: string | null
  failure: Failure | null
  addFiles(files: Promise<readonly ChosenFile[]>): void
  addPath(path: string): void
}

export function useAdding(onAdded: () => void): Adding {
  const { t } = useLingui()
  const [busy, setBusy] = useState<string | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const add = (what: Promise<Params<'models.add'>>): void => {
    setBusy(t`Reading`)
    setFailure(null)
    what
      .then((params) => {
        setBusy(t`Checking, converting and trying it`)
        return client.call('models.add', params)
      })
      .then((model) => {
        toast(t`${model.name} is ready`, t`${model.kind}, ${bytes(model.bytes)}`)
        onAdded()
      })
      .catch((error: unknown) => setFailure(asFailure(error)))
      .finally(() => setBusy(null))
  }
  return {
    busy,
    failure,
    addFiles: (files) => {
      if (busy === null) add(files.then((all) => takeFiles(all, (share) => setBusy(t`Copying, ${percent(share)}`))))
    },
    addPath: (path) => {
      if (busy === null) add(Promise.resolve({ path }))
    },
  }
}
