import { expect, test } from 'vitest'
import { measuredFactors } from '../../test/support/measured-factors'
import { DEFAULT_CONFIGURATION } from './configuration'

/** What a second of useful work earns at least, of a second of proof. */
const PREMIUM = 1.25

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
    const needed = measured(kind).factorMilli
    // Named in what is compared, so that a failure says which one.
    expect({ kind, enough: factor >= needed, tooMuch: factor > needed * 1.051 }).toEqual({
      kind,
      enough: true,
      tooMuch: false,
    })
  }
})

test.each(['ocr', 'embed', 'chat prompt', 'chat generated'])(
  'the factor of %s follows from the rates of the table',
  (kind) => {
    const measured = measuredFactors()
    const { rate, factorMilli } = measured(kind)
    // rates stand there with three digits
    expect(factorMilli / ((PREMIUM * 1000 * measured('proof').rate) / rate)).toBeCloseTo(1, 1.7)
  },
)
