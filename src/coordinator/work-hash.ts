/**
 * Which jobs are the same work (protocol.md §3): the same model with the same input, however that is written. A network credits
 * it once an epoch, since who has computed it once has the answer of all of them.
 */
import type { EncodedInput } from '#shared/domain/encoded-input'
import type { ChatInput, JobInput } from '#shared/domain/job'
import { objectId } from '#shared/domain/signed'

/**
 * SHA-256 of an input's normalized form, hex. Texts: Unicode NFC, each run of white space one space, none at the ends. A chat's
 * seed is left out: it draws another answer from the same computation. A picture: the bytes of its file.
 */
export function workHash(input: EncodedInput): string {
  const { value } = input
  const normalized = normalizedInput(value)
  return normalized === value ? input.hash : objectId(normalized)
}

function normalizedInput(input: JobInput): unknown {
  switch (input.kind) {
    case 'chat':
      return normalizedChat(input)
    case 'embed':
      return { ...input, texts: input.texts.map(normalizedText) }
    case 'ocr': {
      // Base64 has several forms of the same bytes: the unused bits of its last character. The rest is not decoded, since it is long.
      const end = input.image.slice(-4)
      const canonicalEnd = btoa(atob(end))
      return end === canonicalEnd ? input : { ...input, image: input.image.slice(0, -4) + canonicalEnd }
    }
  }
}

function normalizedChat({ sampling, ...chat }: ChatInput): unknown {
  const messages = chat.messages.map(({ role, content }) => ({ role, content: normalizedText(content) }))
  if (sampling === undefined) return { ...chat, messages }
  const { seed: _seed, ...parameters } = sampling
  return { ...chat, messages, sampling: parameters }
}

function normalizedText(text: string): string {
  return text.normalize('NFC').replaceAll(/\s+/g, ' ').trim()
}
