/** Why work ended as it did, in words: of refused work the reason is the refusal code. */
import { type Message, type MessageTexts, refusalMessage } from '#shared/domain/messages'

/** A refusal code in words; any other reason as it says. */
export function refusalWords(reason: Message, messages: MessageTexts): string {
  const words = messages.text(reason)
  return reason.code === 'foreign-words' ? messages.text(refusalMessage(words)) : words
}
