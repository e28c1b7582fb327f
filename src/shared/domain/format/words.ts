/** Words around figures: short ids, lists and sentences. */

/** 8f3d…21c0 */
export function shortId(id: string): string {
  return id.length <= 13 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`
}

/** A list in a sentence: "a, b and c". */
export function listed(parts: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(parts)
}

/**
 * A failure's message as a sentence. The engine begins messages in lower case, since logs put them after a colon. The name
 * of a file at the beginning is not changed.
 */
export function sentence(text: string): string {
  const isName = /^\S*[./\\_\d]\S/.test(text)
  const whole = isName ? text : text.charAt(0).toUpperCase() + text.slice(1)
  return /[.…:?)]$/.test(whole) || whole === '' ? whole : `${whole}.`
}
