/** How far a recognized text is from the known one (protocol.md §3, ocr). */

/**
 * Levenshtein distance of the lines joined, divided by the longer text's length: 0 the same, 1 nothing in common.
 * White space does not count; compatible forms (a full-width comma and a comma) are the same. Two empty texts are the same.
 * Time and memory grow with the product and the shorter of both lengths.
 */
export function normalizedEditDistance(a: string[], b: string[]): number {
  const [short, long] = [characters(a), characters(b)].toSorted((x, y) => x.length - y.length) as [string[], string[]]
  if (long.length === 0) return 0
  return editDistance(short, long) / long.length
}

function characters(lines: readonly string[]): string[] {
  return Array.from(lines.join('').normalize('NFKC').replace(/\s+/gu, ''))
}

/** Insertions, deletions and replacements, one row of Wagner and Fischer's table at a time. */
function editDistance(short: readonly string[], long: readonly string[]): number {
  const row = Uint32Array.from({ length: short.length + 1 }, (_, index) => index)
  long.forEach((wanted, above) => {
    let diagonal = above
    row[0] = above + 1
    short.forEach((character, index) => {
      const replaced = diagonal + (character === wanted ? 0 : 1)
      diagonal = row[index + 1] ?? 0
      row[index + 1] = Math.min(replaced, diagonal + 1, (row[index] ?? 0) + 1)
    })
  })
  return row[short.length] ?? 0
}
