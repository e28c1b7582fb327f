/** What the engine says, in the person's language: codes and parameters become texts here. */
import { useLingui } from '@lingui/react'
import { useMemo } from 'react'
import { messageTexts, type MessageTexts } from '#shared/domain/messages'
import { personal } from './format'

export type { MessageTexts }

/** Texts of messages, in the language of the screens. */
export function useMessages(): MessageTexts {
  const { i18n } = useLingui()
  return useMemo(
    () => messageTexts({ translate: (id, values) => i18n._(id, { ...values }), formats: personal }),
    [i18n],
  )
}
