/**
 * `npm run bench -- embed [--rounds N]`: embeddings beside transformers.js (from test/bench/peers) on the same model files,
 * threads and texts, alternating in one run, medians. The float32 original comes out of a Python package, by pip.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer, type Peer } from '#process/peer'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { WorkerMethods, WorkerNotifications } from '#shared/ipc/worker'
import { SeededRandom } from '#worker/samples/random'
import { sentence } from '#worker/samples/texts'
import { locationOf, minilmFolder } from '../support/bench-models'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'
import { realModel, root } from '../support/lode'
import { MINILM_FORMATS, writeMinilmGguf, type MinilmFormat } from '../support/minilm-gguf'
import { installPeers, startPeer, type PeerProcess } from '../support/peers'

const home = join(root, 'out/bench')
const THREADS = 2
const TEXTS = 128
/** Of the texts as they come: what a program that calls transformers.js would choose. */
const PEER_BATCH = 32

type Worker = Peer<WorkerMethods, WorkerNotifications>

interface Subject {
  name: string
  location: InstalledModel
  peer: PeerProcess
}

export default async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { rounds: { type: 'string' } } })
  const rounds = Number(values.rounds ?? 7)
  if (!(rounds >= 1)) throw new RangeError('rounds is a positive number')
  mkdirSync(home, { recursive: true })
  const original = minilmFolder()
  installPeers()
  const child = await createNodeProcessHost(join(root, 'out/node')).start('worker', {
    role: 'worker',
    deviceId: 'bench',
    threads: THREADS,
  })
  const worker: Worker = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker')
  const subjects: Subject[] = []
  try {
    for (const [name, folder] of await models(worker, original)) subjects.push(await subjectOf(name, folder))
    const exact = await embed(
      worker,
      subjects.find(({ name }) => name === EXACT)!,
      texts(0),
    )
    const rows: string[] = []
    for (const subject of subjects) rows.push(await compare(worker, subject, rounds, exact.vectors))
    const gguf = await ggufRows(worker, original, exact.vectors)
    const body = `
${measuredOn()}. all-MiniLM-L6-v2, ${THREADS} threads, ${TEXTS} texts a round (English sentences, one to six together); medians of ${rounds} rounds, alternating; ratios are
medians of the rounds' ratios. transformers.js 4.3.1 on the same onnxruntime 1.30.0, in batches of ${PEER_BATCH} as the texts come. Load average when the measurement ended: ${(loadavg()[0] ?? 0).toFixed(1)}.

| model file, the same in both | Lode, texts/s | transformers.js, texts/s | ratio | target | least cosine to float32 |
|---|---|---|---|---|---|
${rows.join('\n')}

From GGUF files of the same weights, which the benchmark writes:

| GGUF file | least cosine of its float32 graph | of its int8 graph |
|---|---|---|
${gguf.join('\n')}

- *Time*: from texts to vectors inside the process: tokenizer, graph, mean over the mask, length 1; Lode also hashes the vectors.
- *Least cosine*: between Lode's vectors and those of the float32 graph made from the original weights, the worst of ${TEXTS} texts.
`
    console.log(body)
    writeBenchmarkSection('embed', body)
  } finally {
    child.kill()
    await Promise.all(subjects.map(({ peer }) => peer.close()))
  }
}

const EXACT = "Lode's graph, float32"

/** Name and folder of each. Graphs are built anew in every run: their builder may have changed. */
async function models(worker: Worker, original: string): Promise<[string, string][]> {
  const built: [string, string][] = []
  for (const precision of ['int8', 'float32'] as const) {
    const folder = join(home, `minilm-${precision}`)
    rmSync(folder, { recursive: true, force: true })
    await worker.request('model.convert', { form: 'safetensors', path: original, folder, precision })
    built.push([`Lode's graph, ${precision}`, folder])
  }
  const shared = realModel('all-minilm-l6-v2-int8')
  return shared === null ? built : [...built, ['ONNX with dynamic int8', shared]]
}

/** How near the graphs made of GGUF files come to the float32 graph of the original weights. */
async function ggufRows(worker: Worker, original: string, exact: number[][]): Promise<string[]> {
  const rows: string[] = []
  for (const format of Object.keys(MINILM_FORMATS) as MinilmFormat[]) {
    const file = join(home, `minilm-${format}.gguf`)
    await writeMinilmGguf(original, format, file)
    const cosines: string[] = []
    for (const precision of ['float32', 'int8'] as const) {
      const folder = join(home, `minilm-gguf-${format}-${precision}`)
      rmSync(folder, { recursive: true, force: true })
      await worker.request('model.convert', { form: 'gguf', path: file, folder, precision })
      const location = locationOf('embed', `gguf-${format}-${precision}`, folder, 256)
      cosines.push(leastCosine((await embed(worker, { location }, texts(0))).vectors, exact).toFixed(5))
      rmSync(folder, { recursive: true, force: true })
    }
    rmSync(file)
    rows.push(`| ${format} | ${cosines.join(' | ')} |`)
  }
  return rows
}

async function subjectOf(name: string, folder: string): Promise<Subject> {
  const location = locationOf('embed', name, folder, 256)
  const { manifest } = location
  // transformers.js wants its graph in a folder of that name.
  const peers = join(home, 'peers', manifest.id)
  rmSync(peers, { recursive: true, force: true })
  cpSync(folder, peers, { recursive: true })
  cpSync(folder, join(peers, 'onnx'), { recursive: true })
  const peer = await startPeer('embed.mjs', [join(home, 'peers'), manifest.id, String(THREADS)])
  return { name, location, peer }
}

async function compare(worker: Worker, subject: Subject, rounds: number, exact: number[][]): Promise<string> {
  const rates: { lode: number; peer: number }[] = []
  // Round 0 warms up and shows that both compute the same.
  for (let round = 0; round <= rounds; round++) {
    const input = texts(round)
    const sides = { lode: () => embed(worker, subject, input), peer: () => embedPeer(subject.peer, input) }
    const results: Partial<Record<'lode' | 'peer', Embedded>> = {}
    for (const side of round % 2 === 0 ? (['lode', 'peer'] as const) : (['peer', 'lode'] as const))
      results[side] = await sides[side]()
    const { lode, peer } = results as Record<'lode' | 'peer', Embedded>
    if (leastCosine(lode.vectors, peer.vectors) < 0.9) throw new Error(`${subject.name}: the vectors differ`)
    const rate = { lode: (1000 * TEXTS) / lode.milliseconds, peer: (1000 * TEXTS) / peer.milliseconds }
    console.log(`${subject.name}, round ${round}: ${rate.lode.toFixed(0)} and ${rate.peer.toFixed(0)} texts/s`)
    if (round > 0) rates.push(rate)
  }
  const own = await embed(worker, subject, texts(0))
  const ratio = median(rates.map(({ lode, peer }) => lode / peer))
  const middle = (side: 'lode' | 'peer'): string => median(rates.map((rate) => rate[side])).toFixed(0)
  return `| ${subject.name} | ${middle('lode')} | ${middle('peer')} | ${ratio.toFixed(2)} | ≥ 1.0: ${ratio >= 1 ? 'met' : 'not met'} | ${leastCosine(own.vectors, exact).toFixed(5)} |`
}

interface Embedded {
  milliseconds: number
  vectors: number[][]
}

async function embed(worker: Worker, { location }: Pick<Subject, 'location'>, input: string[]): Promise<Embedded> {
  const { output, milliseconds } = await worker.request('job.run', {
    jobId: crypto.randomUUID(),
    input: JSON.stringify({ kind: 'embed', texts: input }),
    model: location,
  })
  return { milliseconds, vectors: output as number[][] }
}

async function embedPeer(peer: PeerProcess, input: string[]): Promise<Embedded> {
  return (await peer.ask({ texts: input, batch: PEER_BATCH })) as Embedded
}

/** One to six sentences a text, other ones in every round. */
function texts(round: number): string[] {
  const random = new SeededRandom(String(round).padStart(4, '0'))
  return Array.from({ length: TEXTS }, () =>
    Array.from({ length: random.integer(1, 6) }, () => sentence(random)).join(' '),
  )
}

function leastCosine(some: readonly number[][], others: readonly number[][]): number {
  return Math.min(
    ...some.map((vector, text) => vector.reduce((sum, value, index) => sum + value * others[text]![index]!, 0)),
  )
}
