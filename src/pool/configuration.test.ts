import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DEFAULT_CONFIGURATION } from './configuration'

/** The table that `npm run calibrate:factors` writes: name of the work, and the factor that it needs. */
function measuredFactors(): Map<string, number> {
  const text = readFileSync(new URL('../../docs/benchmarks.md', import.meta.url), 'utf8')
  const section = /^## factors\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(text)?.[1] ?? ''
  const rows = [...section.matchAll(/^\| (?<name>[^|]+) \| [\d.]+ \| (?<factor>\d+) \|$/gm)]
  return new Map(rows.map(({ groups }) => [groups!['name']!, Number(groups!['factor'])]))
}

test('what the network pays is what was measured, rounded up', () => {
  const measured = measuredFactors()
  const { chat, embed, ocr } = DEFAULT_CONFIGURATION.kindFactorsMilli
  const paid: Record<string, number> = {
    proof: DEFAULT_CONFIGURATION.tierFactorsMilli['itp1-base'],
    ocr: ocr.prompt,
    embed: embed.prompt,
    'chat prompt': chat.prompt,
    'chat generated': chat.generated,
  }
  for (const [kind, factor] of Object.entries(paid)) {
    const needed = [...measured].find(([name]) => name.startsWith(`${kind},`))?.[1]
    if (needed === undefined) throw new Error(`docs/benchmarks.md has no measured factor for ${kind}`)
    // Named in what is compared, so that a failure says which one.
    expect({ kind, enough: factor >= needed, tooMuch: factor > needed * 1.05 }).toEqual({
      kind,
      enough: true,
      tooMuch: false,
    })
  }
})
