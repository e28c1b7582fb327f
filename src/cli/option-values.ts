/**
 * What the values of options mean. Each function takes the text that the person gave, and throws commander's
 * InvalidArgumentError with a sentence that says what is right.
 */
import { InvalidArgumentError } from 'commander'

const DECIMAL = /^\d+(\.\d+)?$/
const LARGEST_SECONDS = 365 * 86_400
const LARGEST_WATTS = 100_000
const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 }

/** From `minimum` to `maximum`, both included. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
    }
    return value
  }
}

/** From `minimum` to `maximum`, both included. */
export function decimalFrom(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!DECIMAL.test(text) || value < minimum || value > maximum)
      throw new InvalidArgumentError(`It must be a number from ${minimum} to ${maximum}.`)
    return value
  }
}

/** Seconds above 0, at most a year. */
export function positiveSeconds(text: string): number {
  const value = Number(text)
  if (!DECIMAL.test(text) || value <= 0 || value > LARGEST_SECONDS)
    throw new InvalidArgumentError('It must be a number of seconds above 0.')
  return value
}

/** Watts above 0. */
export function wattsOrOff(text: string): number | 'off' {
  const value = Number(text)
  if (text === 'off') return text
  if (!DECIMAL.test(text) || value <= 0 || value > LARGEST_WATTS)
    throw new InvalidArgumentError('It must be a number of watts, or "off".')
  return value
}

/** Whole bytes, from "1500", "1.5 kB" or "20GB". */
export function byteCount(text: string): number {
  const [, figure = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?b)?$/i.exec(text) ?? []
  const value = Math.floor(Number(figure) * (BYTE_UNITS[unit.toLowerCase()] ?? 1))
  if (figure === '' || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be bytes, or a number with kB, MB, GB or TB.')
  return value
}

/** Of an option that may be given several times: all its values. */
export function everyValue(text: string, before: string[] = []): string[] {
  return [...before, text]
}

/** 0 to 2^64 − 1. */
export function nonce(text: string): bigint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 1n << 64n)
    throw new InvalidArgumentError('It must be a whole number below 2^64.')
  return BigInt(text)
}

/** 32 bytes in lower case. */
export function hex64(text: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new InvalidArgumentError('It must be 64 hexadecimal digits.')
  return text.toLowerCase()
}

/** Separated by commas. */
export function deviceIds(text: string): string[] {
  return text.split(',').map((id) => id.trim())
}

/** UTC milliseconds of a date, with or without a time of day. */
export function utcMilliseconds(text: string): number {
  const value = Date.parse(text)
  if (Number.isNaN(value))
    throw new InvalidArgumentError('It must be a date such as 2026-11-24 or 2026-11-24T12:00:00Z.')
  return value
}
