import type { MessageDescriptor } from '@lingui/core'
import { useLingui } from '@lingui/react'

/** Turns a message descriptor into the person's language; for sentences that are put together outside components. */
export function useSay(): (descriptor: MessageDescriptor) => string {
  const { i18n } = useLingui()
  return (descriptor) => i18n._(descriptor)
}
