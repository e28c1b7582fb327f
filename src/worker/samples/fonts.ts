import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Glyph } from 'opentype.js'

export const FONT_STYLES = [
  '400-normal',
  '500-normal',
  '600-normal',
  '700-normal',
  '800-normal',
  '400-italic',
  '600-italic',
] as const
export type FontStyle = (typeof FONT_STYLES)[number]

/** Text as outlines, so that drawing does not depend on the fonts of the system. Sizes and lengths in pixels. */
export interface Lettering {
  width(text: string, sizePixels: number): number
  /** SVG path data of a line whose baseline starts at (x, y) */
  path(text: string, x: number, y: number, sizePixels: number): string
}

const opened = new Map<FontStyle, Promise<Lettering>>()

/** Inter in one weight and slant (Latin letters). */
export function openFont(style: FontStyle): Promise<Lettering> {
  const known = opened.get(style)
  if (known) return known
  const lettering = readLettering(style)
  opened.set(style, lettering)
  return lettering
}

async function readLettering(style: FontStyle): Promise<Lettering> {
  const require = createRequire(import.meta.url)
  const opentype = require('opentype.js') as typeof import('opentype.js')
  const path = require.resolve(`@fontsource/inter/files/inter-latin-${style}.woff`)
  const file = await readFile(path)
  const font = opentype.parse(new Uint8Array(file).buffer)
  // Glyph by glyph: the library cannot follow all of this font's substitution tables, and plain Latin text needs none.
  const glyphs = (text: string): Glyph[] => Array.from(text, (character) => font.charToGlyph(character))
  const advance = (glyph: Glyph, size: number): number => ((glyph.advanceWidth ?? 0) * size) / font.unitsPerEm
  return {
    width: (text, size) => glyphs(text).reduce((sum, glyph) => sum + advance(glyph, size), 0),
    path(text, x, y, size) {
      let at = x
      let data = ''
      for (const glyph of glyphs(text)) {
        data += glyph.getPath(at, y, size).toPathData(2)
        at += advance(glyph, size)
      }
      return data
    },
  }
}
