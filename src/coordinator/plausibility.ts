/**
 * Whether output and evidence of a result belong to each other, as far as that shows without the model and without
 * decoding anything. What a model's tokenizer or the picture itself shows is the appraiser's (appraiser.ts).
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '#shared/domain/bytes'
import type { EncodedInput } from '#shared/domain/encoded-input'
import { ocrLine, type ChatInput, type EmbedInput } from '#shared/domain/job'
import { z } from 'zod'
import type { DeliveryContent } from './store'

const vectors = z.array(z.array(z.number()))
const lines = z.array(ocrLine)

/** Why a result cannot belong to its input, as a sentence; undefined when it fits. */
export function implausibility(input: EncodedInput, content: DeliveryContent): string | undefined {
  // The value of a picture's input is not read: it may have megabytes, and only the appraiser looks into it.
  if (input.kind === 'ocr') return ocrFault(content)
  const { value } = input
  if (value.kind === 'chat') return chatFault(value, content)
  return value.kind === 'embed' ? embedFault(value, content) : otherKind
}

function chatFault({ maxTokens }: ChatInput, { output, evidence }: DeliveryContent): string | undefined {
  if (evidence.kind !== 'chat' || typeof output !== 'string') return otherKind
  const { tokenIds, topLogProbabilities, finish } = evidence
  if (finish === 'cancelled') return 'The answer was cut off.'
  if (tokenIds.length === 0) return 'Nothing was generated.'
  if (tokenIds.length > maxTokens) return 'More tokens were generated than the job allows.'
  if (topLogProbabilities.length !== tokenIds.length) return 'Log-probabilities are missing.'
  const chosen = tokenIds.every((token, position) =>
    topLogProbabilities[position]?.some(([candidate]) => candidate === token),
  )
  return chosen ? undefined : 'A generated token is not among its most probable ones.'
}

function embedFault({ texts }: EmbedInput, { output, evidence }: DeliveryContent): string | undefined {
  const parsed = vectors.safeParse(output)
  if (evidence.kind !== 'embed' || !parsed.success) return otherKind
  if (parsed.data.length !== texts.length) return 'The vectors are not one a text.'
  const width = parsed.data[0]?.length ?? 0
  if (width === 0 || parsed.data.some((vector) => vector.length !== width)) return 'The vectors are not of one length.'
  return evidence.vectorsSha256 === hashOfVectors(parsed.data)
    ? undefined
    : 'The vectors are not those of the evidence.'
}

function ocrFault({ output, evidence }: DeliveryContent): string | undefined {
  const parsed = lines.safeParse(output)
  if (evidence.kind !== 'ocr' || !parsed.success) return otherKind
  return evidence.lines === parsed.data.length ? undefined : 'The number of lines is not that of the evidence.'
}

const otherKind = 'Output and evidence are not those of this kind of job.'

/** SHA-256 over all vectors as float32, little-endian, one after the other. */
function hashOfVectors(rows: readonly (readonly number[])[]): string {
  const hash = sha256.create()
  for (const row of rows) {
    const view = new DataView(new ArrayBuffer(row.length * 4))
    row.forEach((value, index) => view.setFloat32(index * 4, value, true))
    hash.update(new Uint8Array(view.buffer))
  }
  return bytesToHex(hash.digest())
}
