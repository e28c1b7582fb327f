import { expect, test } from 'vitest'
import { DEFAULT_CONFIGURATION, parametersOf } from '#coordinator/configuration'
import type { MacFormula } from '#shared/domain/manifest'
import type { JobSizes } from '#shared/domain/job'
import { measuredFactors } from '../../../test/support/measured-factors'
import { expectedCredit } from './expected-credit'

const jobs: {
  kind: JobSizes['kind']
  macFormula: MacFormula
  sizes: JobSizes
  rates: [prompt: string, generated?: string]
}[] = [
  {
    kind: 'chat',
    macFormula: { kind: 'chat', perToken: 106_000_000, perLogits: 28_000_000, perPair: 35_000 },
    sizes: { kind: 'chat', promptTokens: 300, generatedTokens: 64 },
    rates: ['chat prompt', 'chat generated'],
  },
  {
    kind: 'embed',
    macFormula: { kind: 'embed', perToken: 10_600_000, perPair: 4600 },
    sizes: { kind: 'embed', tokensPerText: [12, 40, 256] },
    rates: ['embed'],
  },
  {
    kind: 'ocr',
    macFormula: { kind: 'ocr', perDetectionBlock: 5_000_000, perRecognitionStep: 9_000_000 },
    sizes: { kind: 'ocr', detectionPixels: 640 * 640, recognitionColumns: 4000 },
    rates: ['ocr'],
  },
]

test.each(jobs)(
  'a second of $kind is worth 1.25 seconds of proof and more to what chooses the work, at the rates measured',
  ({ kind, macFormula, sizes, rates }) => {
    const measured = measuredFactors()
    const [promptRate, generatedRate = promptRate] = rates.map((name) => measured(name!).rate * 1e9)
    // The two parts of a chat take their time one after the other.
    const whole = expectedCredit(parametersOf(DEFAULT_CONFIGURATION, ''), { kind, macFormula }, '', sizes)
    const first: JobSizes = sizes.kind === 'chat' ? { ...sizes, generatedTokens: 0 } : sizes
    const prompt = Number(expectedCredit(parametersOf(DEFAULT_CONFIGURATION, ''), { kind, macFormula }, '', first).macs)
    const seconds = prompt / promptRate! + (Number(whole.macs) - prompt) / generatedRate!
    const ratio = Number(whole.creditMacs) / seconds / (measured('proof').rate * 1e9)
    expect(ratio).toBeGreaterThan(1.24)
    expect(ratio).toBeLessThan(1.25 * 1.06)
  },
)
