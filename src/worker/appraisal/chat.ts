/** Appraises a chat: its prompt by the model's own template and tokenizer, its answer by the ids that were generated. */
import type { ChatInput } from '#shared/domain/job'
import { createAnswerText } from '../inference/chat/answer-text'
import { encodePrompt } from '../inference/chat/prompt'
import { mostNewTokens, type ChatText } from '../inference/chat/text'
import { wrong, type Appraisal, type Claim } from './appraisal'

/** Rejects with Failure `invalid-input` where the model cannot take the input. */
export async function appraiseChat(
  input: ChatInput,
  { output, evidence }: Claim,
  text: ChatText,
  signal: AbortSignal,
): Promise<Appraisal> {
  if (evidence.kind !== 'chat' || typeof output !== 'string')
    return wrong('Output and evidence are not those of a chat.')
  const { promptTokenIds, tokenIds, finish } = evidence
  const prompt = await encodePrompt(text, input, signal)
  if (prompt.length !== promptTokenIds.length || prompt.some((id, index) => id !== promptTokenIds[index])) {
    return wrong("The prompt's tokens are not those that the model's template and tokenizer give.")
  }
  const most = mostNewTokens(text.context, prompt.length, input.maxTokens)
  if (tokenIds.length > most) return wrong('More tokens were generated than fit behind the prompt.')
  const answer = answerOf(tokenIds, text, input.stop ?? [])
  if (answer === undefined) return wrong('A generated token is not one of the model, or stands behind the end.')
  if (answer.text !== output) return wrong('The answer is not the text of the generated tokens.')
  const isWhole = answer.stopped || tokenIds.length === most
  if (!isWhole || finish !== (answer.stopped ? 'stop' : 'length'))
    return wrong('The answer does not end where it should.')
  return { state: 'derived', sizes: { kind: 'chat', promptTokens: prompt.length, generatedTokens: tokenIds.length } }
}

/** What the ids say; undefined where they go on after the end, or the tokenizer does not know them. */
function answerOf(
  ids: readonly number[],
  text: ChatText,
  stop: readonly string[],
): { text: string; stopped: boolean } | undefined {
  const answer = createAnswerText(text, stop)
  try {
    for (const [index, id] of ids.entries()) {
      if (answer.push(id) && index < ids.length - 1) return undefined
    }
    answer.end()
  } catch {
    return undefined // the tokenizer throws for an id that is none
  }
  return { text: answer.text, stopped: answer.stopped }
}
