/** Appraises embeddings: the tokens of each text by the model's own tokenizer. */
import type { EmbedInput } from '#shared/domain/job'
import { encodeText, type EmbedText } from '../inference/embed/model'
import { wrong, type Appraisal, type Claim } from './appraisal'

export async function appraiseEmbed(
  input: EmbedInput,
  { output, evidence }: Claim,
  text: EmbedText,
  signal: AbortSignal,
): Promise<Appraisal> {
  if (evidence.kind !== 'embed' || !Array.isArray(output) || output.length !== input.texts.length) {
    return wrong('The vectors are not one a text.')
  }
  const tokensPerText: number[] = []
  for (const one of input.texts) tokensPerText.push((await encodeText(text, one, signal)).length)
  return { state: 'derived', sizes: { kind: 'embed', tokensPerText } }
}
