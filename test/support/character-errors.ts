/** How many characters of a known text were misread: the measure of text recognition. */

/**
 * Edits (insertions, deletions, replacements) that turn `read` into `known`, and the characters of `known`. Line breaks
 * and runs of spaces count as one space; compatible forms (a full-width comma and a comma) are the same.
 */
export function characterErrors(
  known: readonly string[],
  read: readonly string[],
): { edits: number; characters: number } {
  const [wanted, found] = [plain(known), plain(read)]
  const row = Uint32Array.from({ length: found.length + 1 }, (_, index) => index)
  wanted.forEach((character, above) => {
    let diagonal = above
    row[0] = above + 1
    found.forEach((other, index) => {
      const replaced = diagonal + (character === other ? 0 : 1)
      diagonal = row[index + 1]!
      row[index + 1] = Math.min(replaced, diagonal + 1, row[index]! + 1)
    })
  })
  return { edits: row[found.length]!, characters: wanted.length }
}

function plain(lines: readonly string[]): string[] {
  return Array.from(lines.join(' ').normalize('NFKC').replaceAll(/\s+/g, ' ').trim())
}
