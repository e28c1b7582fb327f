import type { Definitions } from '../src/shared/domain/messages/definition'

/** Markdown of docs/messages.md. */
export function messagesDocument(
  tables: Readonly<Record<string, Definitions>>,
  subjects: Readonly<Record<string, string>>,
): string
/** The sentence at the top of a table's source; empty: there is none. */
export function subjectOf(source: string): string
