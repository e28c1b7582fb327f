import { inEnglish, type Message } from '#shared/domain/messages'

/** What a message says in English; empty where there is none. */
export const said = (message: Message | null | undefined): string => (message == null ? '' : inEnglish.text(message))
