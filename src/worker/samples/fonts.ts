/** Outlines of text in the typeface that comes with Lode. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Glyph, Path } from 'opentype.js'

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

const require = createRequire(import.meta.url)
const opened = new Map<FontStyle, Promise<Lettering>>()

/** Inter in one weight and slant (Latin letters). */
export function openFont(style: FontStyle): Promise<Lettering> {
  const known = opened.get(style)
  if (known) return known
  const lettering = readLettering(require.resolve(`@fontsource/inter/files/inter-latin-${style}.woff`))
  opened.set(style, lettering)
  return lettering
}

/** The letters of a font file (TrueType, OpenType or WOFF). Rejects for anything else. */
export async function readLettering(path: string): Promise<Lettering> {
  const opentype = require('opentype.js') as typeof import('opentype.js')
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
        data += pathData(glyph.getPath(at, y, size))
        at += advance(glyph, size)
      }
      return data
    },
  }
}

/** The library's own `toPathData` writes NaN for some numbers just above or below a whole one. */
function pathData({ commands }: Path): string {
  const point = (x: number, y: number): string => `${x.toFixed(2)} ${y.toFixed(2)}`
  return commands
    .map((command) => {
      switch (command.type) {
        case 'M':
        case 'L':
          return command.type + point(command.x, command.y)
        case 'Q':
          return `Q${point(command.x1, command.y1)} ${point(command.x, command.y)}`
        case 'C':
          return `C${point(command.x1, command.y1)} ${point(command.x2, command.y2)} ${point(command.x, command.y)}`
        case 'Z':
          return 'Z'
      }
    })
    .join('')
}
