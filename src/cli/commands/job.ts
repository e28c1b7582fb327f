import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import {
  jobInput,
  MAX_EMBED_TEXTS,
  MAX_IMAGE_BYTES,
  MAX_TEXT_CHARACTERS,
  type JobInput,
  type JobKind,
} from '#shared/domain/job'
import { describeParseError, Failure } from '#shared/domain/errors'
import { inEnglish, message } from '#shared/domain/messages'
import { FINAL_JOB_STATES, hasNoCredit, type JobState } from '#shared/domain/states'
import type { EngineClient } from '../client'
import type { CommandContext } from '../command-context'
import { withSession } from '../session'

interface JobOptions {
  kind: JobKind
  input: string
  model?: string
  maxTokens?: number
  temperature?: number
  topP?: number
  seed?: number
  stop?: string[]
  stream?: boolean
  /** seconds */
  within?: number
}

/** States of a job that has a result. */
const HAS_RESULT: readonly JobState[] = ['submitted', 'held', 'accepted', 'refused', 'forfeited']
const DEFAULT_MAX_TOKENS = 256
/** A seed or a top-p without a temperature: the model's own probabilities are used. */
const PLAIN_TEMPERATURE = 1

/** `lode job submit`: gives it to the running engine, or to one that is started for this job, and waits for the result. */
export async function jobSubmit({ output, dataDir }: CommandContext, options: JobOptions): Promise<void> {
  const input = toInput(options, await readInput(options.input))
  await withSession(dataDir, async ({ client }) => {
    const job = await runToEnd(client, input, options, (text) => {
      if (options.stream && !output.json) process.stdout.write(text)
    })
    if (!HAS_RESULT.includes(job.state)) {
      const code = job.state === 'cancelled' ? 'cancelled' : 'invalid-input'
      const words = job.reason ?? message('job-ended', { state: job.state })
      throw new Failure(code, job.state === 'cancelled' ? words : message('job-without-result', { reason: words }))
    }
    const tokens =
      job.tokens === null
        ? {}
        : { tokens: job.tokens.input + job.tokens.output, tokensIn: job.tokens.input, tokensOut: job.tokens.output }
    output.answer(
      {
        id: job.id,
        kind: job.kind,
        model: job.modelId ?? job.model,
        state: job.state,
        output: job.output,
        ...tokens,
        ...(job.evidence === null ? {} : { evidence: job.evidence }),
        macs: job.macs,
        creditMacs: job.creditMacs,
        creditId: job.creditId,
        verification: job.verification,
        milliseconds: job.milliseconds,
        ...(job.energy.joules === undefined ? {} : { joules: job.energy.joules }),
        ...(job.joulesCertainty === null ? {} : { joulesCertainty: job.joulesCertainty }),
        joulesSource: job.energy.source,
        ...(job.electricityCost === null ? {} : { electricityCost: job.electricityCost }),
      },
      options.stream ? '' : readable(job.output),
    )
    if (hasNoCredit(job.state))
      output.say(
        `The network gives no credit for it: ${job.reason === null ? 'no reason given' : inEnglish.text(job.reason)}.`,
      )
    if (job.state === 'held') output.say('The network credits it once it has checked it.')
  })
}

/** Whether nothing more happens to it soon: a check of held credit may take long, and the result is there. */
function isOver(state: JobState): boolean {
  return FINAL_JOB_STATES.includes(state) || state === 'held'
}

async function runToEnd(client: EngineClient, input: JobInput, options: JobOptions, onText: (text: string) => void) {
  const ended = new Map<string, () => void>()
  const finished = new Set<string>()
  const early: { id: string; text: string }[] = []
  let id = ''
  client.on('job.changed', (row) => {
    if (!isOver(row.state)) return
    finished.add(row.id)
    ended.get(row.id)?.()
  })
  client.on('job.token', (token) => {
    if (id === '') early.push(token)
    else if (token.id === id) onText(token.text)
  })
  let lost: (error: Failure) => void = () => undefined
  const gone = new Promise<never>((_resolve, reject) => {
    lost = reject
  })
  gone.catch(() => undefined)
  client.onClose(() => lost(new Failure('unavailable', message('job-engine-went-away'))))
  const submitted = await client.call('jobs.submit', {
    input,
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.within === undefined ? {} : { withinSeconds: options.within }),
  })
  id = submitted.id
  for (const token of early) if (token.id === id) onText(token.text)

  const cancel = (): void => {
    client.call('jobs.cancel', { id }).catch(() => lost(new Failure('cancelled', message('command-cancelled'))))
  }
  process.once('SIGINT', cancel)
  process.once('SIGTERM', cancel)
  const first = await client.call('jobs.get', { id })
  if (!isOver(first.state) && !finished.has(id)) {
    await Promise.race([new Promise<void>((resolve) => ended.set(id, resolve)), gone])
  }
  process.off('SIGINT', cancel)
  process.off('SIGTERM', cancel)
  return client.call('jobs.get', { id })
}

async function readInput(source: string): Promise<Buffer> {
  if (source === '-') {
    const chunks: Buffer[] = []
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }
  try {
    return await readFile(source)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Failure('invalid-input', message('input-no-such-file', { file: source }))
    if (code === 'EISDIR') throw new Failure('invalid-input', message('input-is-folder', { file: source }))
    throw new Failure('invalid-input', message('input-not-read', { file: source, code: code ?? '' }))
  }
}

function toInput(options: JobOptions, bytes: Buffer): JobInput {
  const raw = options.kind === 'ocr' ? ocrInput(bytes) : textInput(options, decode(bytes))
  const parsed = jobInput.safeParse(raw)
  if (!parsed.success)
    throw new Failure('invalid-input', message('job-input-not-taken', { fault: describeParseError(parsed.error) }))
  return parsed.data
}

function ocrInput(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new Failure('invalid-input', message('job-file-empty'))
  if (bytes.length > MAX_IMAGE_BYTES)
    throw new Failure('invalid-input', message('job-file-too-large', { bytes: bytes.length, most: MAX_IMAGE_BYTES }))
  return { kind: 'ocr', image: bytes.toString('base64') }
}

function textInput(options: JobOptions, text: string): unknown {
  if (text.length > MAX_TEXT_CHARACTERS)
    throw new Failure(
      'invalid-input',
      message('job-text-too-long', { characters: text.length, most: MAX_TEXT_CHARACTERS }),
    )
  if (options.kind === 'chat') {
    return {
      kind: 'chat',
      messages: [{ role: 'user', content: text.trim() }],
      maxTokens: options.maxTokens ?? DEFAULT_MAX_TOKENS,
      ...sampling(options),
      ...(options.stop === undefined ? {} : { stop: options.stop }),
    }
  }
  // One vector a line; the last line break of the file ends its last line and begins no other.
  const texts = text.replace(/\r?\n$/, '').split(/\r?\n/)
  if (texts.length > MAX_EMBED_TEXTS)
    throw new Failure(
      'invalid-input',
      message('job-text-too-many-lines', { lines: texts.length, most: MAX_EMBED_TEXTS }),
    )
  return { kind: 'embed', texts }
}

/** Empty unless one of its options is given. Where the seed is missing a random one is set, so that the job's row holds it. */
function sampling({ temperature, topP, seed }: JobOptions): { sampling?: unknown } {
  if (temperature === undefined && topP === undefined && seed === undefined) return {}
  return {
    sampling: {
      temperature: temperature ?? PLAIN_TEMPERATURE,
      ...(topP === undefined ? {} : { topP }),
      seed: seed ?? randomInt(2 ** 32),
    },
  }
}

function decode(bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (text.includes('\0')) throw new TypeError('zero bytes')
    return text
  } catch {
    throw new Failure('invalid-input', message('job-text-not-utf8'))
  }
}

function readable(result: unknown): string[] {
  if (typeof result === 'string') return [result]
  if (!Array.isArray(result)) return []
  return result.map((item: unknown) => (Array.isArray(item) ? JSON.stringify(item) : (item as { text: string }).text))
}
