/**
 * `npm run bench -- yield [--jobs N] [--tier T] [--backend B]`: how long a useful job waits for a proof to yield, through the
 * whole application: from `jobs.submit` over the page's WebSocket until the message of the worker is back there. The job is a
 * picture that is none: the worker refuses it as soon as it has it. The same on an idle rig is what the way itself takes.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { connectWebSocket, type EngineClient } from '#cli/client'
import { tierName, type TierName } from '#shared/domain/tiers'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'
import { startLode } from '../support/lode'

const TARGET_MILLISECONDS = 300
const FEWEST_JOBS = 30
/** Before the measurement: what decodes pictures is loaded, and the ramp of the first units is climbed. */
const WARM_UP_JOBS = 5
const WARM_UP_MILLISECONDS = 15_000
/** Between two jobs the device goes on with its proofs; the odd step meets a slice at every point. */
const PAUSE_MILLISECONDS = 500
const PAUSE_STEP_MILLISECONDS = 37
const PAUSE_STEPS = 11

interface Wait {
  tier: TierName | null
  milliseconds: number[]
}

export default async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { jobs: { type: 'string', default: '40' }, tier: { type: 'string' }, backend: { type: 'string' } },
  })
  const jobs = Number(values.jobs)
  if (!Number.isInteger(jobs) || jobs < FEWEST_JOBS) throw new RangeError(`at least ${FEWEST_JOBS} jobs`)
  const tiers: TierName[] = values.tier === undefined ? ['itp1-small', 'itp1-base'] : [tierName.parse(values.tier)]
  const waits: Wait[] = []
  for (const tier of [null, ...tiers]) waits.push({ tier, milliseconds: await measure(jobs, tier, values.backend) })
  const body = report(waits, values.backend ?? "the device's fastest")
  console.log(body)
  writeBenchmarkSection('yield', body)
}

/** One engine with an empty data folder. `tier` null: it does not mine. */
async function measure(jobs: number, tier: TierName | null, backend: string | undefined): Promise<number[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'lode-bench-'))
  const child = startLode(dataDir, ['serve', '--json'], { env: { LODE_FETCH_MODELS: 'no' } })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  try {
    const { port, hash } = new URL(await linkOf(child))
    const client = await connectWebSocket(Number(port), hash.replace('#token=', ''))
    const refused = refusals(client)
    for (let job = 0; job < WARM_UP_JOBS; job++) await waitOf(client, refused, job)
    if (tier !== null) {
      await client.call('engine.start', { tier, samples: false, ...(backend === undefined ? {} : { backend }) })
      await pause(WARM_UP_MILLISECONDS)
    }
    const milliseconds: number[] = []
    for (let job = 0; job < jobs; job++) {
      milliseconds.push(await waitOf(client, refused, WARM_UP_JOBS + job))
      await pause(PAUSE_MILLISECONDS + (job % PAUSE_STEPS) * PAUSE_STEP_MILLISECONDS)
    }
    client.close()
    return milliseconds
  } finally {
    child.kill('SIGTERM')
    await closed
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** When the worker refused which job, past or to come. */
function refusals(client: EngineClient): (id: string) => Promise<number> {
  const past = new Map<string, number>()
  const waiting = new Map<string, (at: number) => void>()
  client.on('job.changed', ({ id, state }) => {
    if (state !== 'failed') return
    const at = performance.now()
    past.set(id, at)
    waiting.get(id)?.(at)
  })
  return (id) => {
    const at = past.get(id)
    return at === undefined ? new Promise((resolve) => waiting.set(id, resolve)) : Promise.resolve(at)
  }
}

async function waitOf(client: EngineClient, refused: ReturnType<typeof refusals>, number: number): Promise<number> {
  // No two are alike: the same work is the same job to the network.
  const image = Buffer.from(`this is no picture ${number}`).toString('base64')
  const at = performance.now()
  const { id } = await client.call('jobs.submit', { input: { kind: 'ocr', image } })
  return (await refused(id)) - at
}

function linkOf(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new TypeError('the engine has no output to read')
  let complaints = ''
  stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  return new Promise((resolve, reject) => {
    createInterface({ input: stdout }).once('line', (line) => resolve((JSON.parse(line) as { link: string }).link))
    child.once('close', (code) => reject(new Error(`the engine ended with ${code}: ${complaints}`)))
  })
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** The smallest value that 95 of 100 do not exceed (nearest rank). */
function percentile95(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN
}

function report(waits: readonly Wait[], backend: string): string {
  const rows = waits.map(({ tier, milliseconds }) => {
    const figures = [median(milliseconds), percentile95(milliseconds), Math.max(...milliseconds)]
    const judged = percentile95(milliseconds)
    const verdict =
      tier === null
        ? '–'
        : judged <= TARGET_MILLISECONDS
          ? 'met'
          : `missed by ${Math.round(judged - TARGET_MILLISECONDS)} ms`
    const doing = tier === null ? 'nothing' : `proofs on ${tier}`
    return `| ${doing} | ${milliseconds.length} | ${figures.map(Math.round).join(' | ')} | ${verdict} |`
  })
  return `
${measuredOn()}. Milliseconds from \`jobs.submit\` over the page's WebSocket until the worker's word about the job is back there; the job is a picture
that is none, which the worker refuses at once. Backend of the proofs: ${backend}. Target: ${TARGET_MILLISECONDS} ms at p95. Load average when the measurement ended: ${(loadavg()[0] ?? 0).toFixed(1)}.

| the device computes | jobs | p50 | p95 | longest | target is |
|---|---|---|---|---|---|
${rows.join('\n')}
`
}
