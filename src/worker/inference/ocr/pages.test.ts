import { expect, it } from 'vitest'
import { drawPage } from '#test/fixtures/pages'
import { characterErrors } from '#test/support/character-errors'
import { read, textsOf } from './ocr.test.support'

/** A leaning list, two leaning columns of small print, a table in a bad JPEG. All thirty: `npm run bench -- ocr`. */
for (const { index, tags } of [
  { index: 7, tags: ['long'] },
  { index: 13, tags: ['long'] },
  { index: 26, tags: [] },
]) {
  it(`of drawn page ${index} at most two characters in a hundred are misread`, { tags }, async () => {
    const { file, lines, name } = await drawPage(index)
    const texts = textsOf(await read(file))
    const { edits, characters } = characterErrors(lines, texts)
    expect(edits / characters, `${name} was read as\n${texts.join('\n')}`).toBeLessThanOrEqual(0.02)
  })
}
