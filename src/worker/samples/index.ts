/** Samples: useful work for rigs to which nobody has sent any, generated at run time and never shipped with the program. */
import type { JobInput, JobKind } from '#shared/domain/job'
import { drawPicture } from './drawing'
import { SeededRandom } from './random'
import { question, sentence } from './texts'

/**
 * Generates a sample of a kind from a seed (hexadecimal). The same seed gives the same sample.
 * `knownText`: the lines of an ocr picture in reading order; other kinds have no known answer.
 */
export async function generateSample(params: {
  kind: JobKind
  seed: string
}): Promise<{ input: JobInput; knownText?: string[] }> {
  const random = new SeededRandom(params.seed)
  switch (params.kind) {
    case 'ocr': {
      const { file, lines } = await drawPicture(random)
      return { input: { kind: 'ocr', image: Buffer.from(file).toString('base64') }, knownText: lines }
    }
    case 'embed':
      return { input: { kind: 'embed', texts: Array.from({ length: random.integer(1, 8) }, () => sentence(random)) } }
    case 'chat':
      return {
        input: {
          kind: 'chat',
          messages: [{ role: 'user', content: question(random) }],
          maxTokens: random.integer(16, 48),
        },
      }
  }
}
