/**
 * `npm run bench -- start [--rounds N] [--launches N]`: from the click on Start mining to the first accepted credit, and
 * from the start of the process to a page that takes the click. Each round has a process and a data folder of its own.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { Browser } from 'playwright-core'
import { connectWebSocket } from '#cli/client'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'
import { chromiumPath, launchChromium } from '../support/browser'
import { startLode } from '../support/lode'

const CREDIT_TARGET_SECONDS = 5
const LAUNCH_TARGET_SECONDS = 1.5
/** No round may hold up the rest forever. */
const ROUND_MILLISECONDS = 60_000

export default async function main(args: string[]): Promise<void> {
  const option = (standard: string) => ({ type: 'string', default: standard }) as const
  const { values } = parseArgs({ args, options: { rounds: option('20'), launches: option('10') } })
  const [rounds, launches] = [count(values.rounds), count(values.launches)]

  const chromium = chromiumPath()
  if (chromium === null) throw new Error('there is no Chromium to open the page in; CHROMIUM_PATH may name one')

  const credits = await inTurn(rounds, clickToCredit)
  const browser = await launchChromium(chromium)
  let pages: number[]
  try {
    // The first page of a new browser pays for the browser's own beginnings.
    await launchToPage(browser)
    pages = await inTurn(launches, () => launchToPage(browser))
  } finally {
    await browser.close()
  }
  const body = report(credits, pages, browser.version())
  console.log(body)
  writeBenchmarkSection('start', body)
}

function count(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new RangeError(`"${text}" is not a number of rounds from 1 to 9999`)
  return Number(text)
}

async function inTurn(rounds: number, measure: () => Promise<number>): Promise<number[]> {
  const seconds: number[] = []
  for (let round = 0; round < rounds; round++) seconds.push(await measure())
  return seconds
}

/** Seconds from the request to start, sent over the page's WebSocket, to the first credit that the network accepted. */
async function clickToCredit(): Promise<number> {
  return withEngine(async (link) => {
    const { port, hash } = new URL(link)
    const client = await connectWebSocket(Number(port), hash.replace('#token=', ''))
    const accepted = new Promise<number>((resolve) => {
      client.on('credit.changed', ({ state }) => {
        if (state === 'accepted') resolve(performance.now())
      })
    })
    const clicked = performance.now()
    await client.call('engine.start', null)
    const seconds = ((await accepted) - clicked) / 1000
    client.close()
    return seconds
  })
}

/** Seconds from the start of `lode serve` until the page in a running browser takes a click on its Start button. */
async function launchToPage(browser: Browser): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  try {
    return await withEngine(async (link, startedAt) => {
      const page = await context.newPage()
      await page.goto(link, { waitUntil: 'commit' })
      // A trial waits until the button is visible, enabled, still, and the one that a click would reach.
      await page.getByRole('button', { name: 'Start mining' }).first().click({ trial: true })
      return (performance.now() - startedAt) / 1000
    })
  } finally {
    await context.close()
  }
}

/** An engine with a new data folder, for the length of `work`; `startedAt` is when its process was asked for. */
async function withEngine(work: (link: string, startedAt: number) => Promise<number>): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'lode-bench-'))
  const startedAt = performance.now()
  const child = startLode(dataDir, ['serve', '--json'])
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  try {
    return await within(firstLine(child).then((line) => work((JSON.parse(line) as { link: string }).link, startedAt)))
  } finally {
    child.kill('SIGTERM')
    await closed
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new TypeError('the engine has no output to read')
  let complaints = ''
  stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  return new Promise((resolve, reject) => {
    createInterface({ input: stdout }).once('line', resolve)
    child.once('close', (code) => reject(new Error(`the engine ended with ${code}: ${complaints}`)))
  })
}

async function within(work: Promise<number>): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`a round took more than ${ROUND_MILLISECONDS} ms`)), ROUND_MILLISECONDS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The smallest value that 95 of 100 do not exceed (nearest rank). */
function percentile95(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN
}

function report(credits: readonly number[], pages: readonly number[], browserVersion: string): string {
  const row = (what: string, values: readonly number[], targetSeconds: number, judged: number): string => {
    const figures = [median(values), percentile95(values), Math.max(...values)].map((value) => value.toFixed(2))
    const verdict = judged <= targetSeconds ? 'met' : `missed by ${(judged - targetSeconds).toFixed(2)} s`
    return `| ${what} | ${values.length} | ${figures.join(' | ')} | ${targetSeconds} | ${verdict} |`
  }
  return `
${measuredOn()}, Chromium ${browserVersion}. Seconds; each round with a new process and an empty data folder, one after another.
The target is held against p95. Load average when the measurement ended: ${(loadavg()[0] ?? 0).toFixed(1)}.

| what | rounds | p50 | p95 | longest | target | target is |
|---|---|---|---|---|---|---|
${row('click to first accepted credit', credits, CREDIT_TARGET_SECONDS, percentile95(credits))}
${row('launch to interactive page', pages, LAUNCH_TARGET_SECONDS, percentile95(pages))}

- *Click*: \`engine.start\` sent over the page's WebSocket as soon as the engine answers there; *first accepted credit*: \`credit.changed\` with state \`accepted\` comes back over the same WebSocket. Worker and weights start from nothing.
- *Launch*: start of the process \`lode serve\`; *interactive*: headless Chromium, running before, has the page open and its Start button would take a click. Building is not part of it.
`
}
