/** Figures in the command's lines for people. */
import { english, joined, NO_BREAK_SPACE } from '#shared/domain/format'

/** A size in bytes: "4.70 GB". */
export const byteText = (bytes: number): string => english.bytes(bytes, ' ')

/** Work or credit from a decimal string of MACs: "28.7 TMAC". */
export const macText = (macs: string): string => joined(english.scaled(macs, 'MAC'), NO_BREAK_SPACE)

/** Work per second: "28.7 TMAC/s". */
export const rateText = (macsPerSecond: number): string =>
  joined(english.scaled(macsPerSecond, 'MAC/s'), NO_BREAK_SPACE)
