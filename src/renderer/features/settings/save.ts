import type { Params } from '#shared/contract/index'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure, useStore } from '../../data/store'

/** Saves a changed setting at once. A refusal is shown above the screen, and the control shows the stored value again. */
export function saveSettings(patch: Params<'settings.set'>): void {
  client.call('settings.set', patch).then(
    (settings) => useStore.setState({ settings }),
    (error: unknown) => reportFailure(asFailure(error)),
  )
}
