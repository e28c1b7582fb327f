/** Electricity prices between a text field and millionths. */

/** "0.21" or "0,21" to millionths as a decimal string; null for what is no price from 0 to 1000. */
export function parsePriceMicros(text: string): string | null {
  const match = /^(\d{1,4})(?:[.,](\d{1,6}))?$/.exec(text.trim())
  if (!match) return null
  const micros = BigInt(match[1] ?? '0') * 1_000_000n + BigInt((match[2] ?? '').padEnd(6, '0'))
  return micros <= 1_000_000_000n ? micros.toString() : null
}

/** Millionths to the text that a person would type: "0.21". */
export function priceInput(micros: string): string {
  const padded = micros.padStart(7, '0')
  const decimals = padded.slice(-6).replace(/0+$/, '').padEnd(2, '0')
  return `${padded.slice(0, -6)}.${decimals}`
}
