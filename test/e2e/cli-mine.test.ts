/** `lode mine` as a server runs it: its events, how it ends, who may follow it, and what it leaves in the ledger. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { TIERS } from '#shared/domain/tiers'
import { follow, lode, processesMentioning, startLode, temporaryFolder, type Following } from '../support/lode'
import { eventually } from '../support/waiting'
import { answerOf, exportLine, mineEvent, statusAnswer, verifyAnswer, type MineEvent } from './cli-schemas'

const started: Following[] = []
afterEach(async () => {
  for (const { child, exited } of started.splice(0)) {
    child.kill('SIGKILL')
    await exited
  }
})

function mine(dataDir: string, ...options: string[]): Following {
  const following = follow(startLode(dataDir, ['mine', '--json', ...options]))
  started.push(following)
  return following
}

/** Every line as what it must be; nothing else may stand on standard output. */
const parsed = ({ events }: Following): MineEvent[] => events.map((event) => mineEvent.parse(event))
const accepted = (kind: string) => (event: Record<string, unknown>) =>
  event.event === 'credit' && event.state === 'accepted' && event.kind === kind

/** The ledger after an end: in order, each credit once, and the export adds up to the status. */
async function expectBooks(dataDir: string, events: readonly MineEvent[]): Promise<void> {
  const report = answerOf(verifyAnswer, await lode(dataDir, ['ledger', 'verify', '--json']))
  const lines = (await lode(dataDir, ['ledger', 'export', '--json'])).lines().map((line) => exportLine.parse(line))
  const status = answerOf(statusAnswer, await lode(dataDir, ['status', '--json']))
  const credited = lines.filter(({ state }) => state === 'accepted')
  const sum = credited.reduce((total, { creditMacs }) => total + BigInt(creditMacs), 0n)
  expect(report).toMatchObject({ ok: true, problems: [] })
  expect(sum).toBeGreaterThan(0n)
  expect(status.creditMacs.total).toBe(sum.toString())
  expect(status.creditMacs.today).toBe(sum.toString())
  expect(status.credits).toBe(credited.length)
  for (const { macs, factorMilli, creditMacs } of credited)
    expect((BigInt(macs) * BigInt(factorMilli)) / 1000n).toBe(BigInt(creditMacs))
  for (const event of events) {
    if (event.event !== 'credit' || event.state !== 'accepted') continue
    const { kind, macs, creditMacs, device } = event
    const line = credited.find(({ id }) => id === event.id)
    expect(line).toMatchObject({ kind, macs, creditMacs, device, receipt: expect.stringMatching(/./) as string })
  }
  const csv = (await lode(dataDir, ['ledger', 'export', '--csv'])).stdout.trimEnd().split('\n')
  expect(csv).toHaveLength(lines.length + 1)
}

const PLAIN = '--tier itp1-small --no-synthetic --no-dashboard --threads 1 --devices cpu0 --backend onnx-cpu'.split(' ')

test('for some seconds, and then it ends by itself', async () => {
  const before = performance.now()
  const mining = mine(temporaryFolder(), '--for', '2', ...PLAIN)
  expect((await mining.exited).code).toBe(0)
  expect(performance.now() - before).toBeGreaterThan(2000)
  expect(parsed(mining).at(-1)).toMatchObject({ event: 'stopped', reason: 'time' })
})

test('its events, no synthetic job unless wanted, its one thread, and a ledger that adds up', async () => {
  const dataDir = temporaryFolder()
  const mining = mine(dataDir, ...PLAIN)
  const proving = await mining.until(({ event, state }) => event === 'device' && state === 'proving')
  expect(proving.id).toBe('cpu0')
  const workers = processesMentioning(dataDir).map((pid) => commandLine(pid))
  if (existsSync('/proc'))
    expect(workers.filter((line) => line.includes('"role":"worker"') && /"threads":1[,}]/.test(line))).toHaveLength(1)
  await mining.until(accepted('share'))
  mining.child.kill('SIGINT')
  expect((await mining.exited).code).toBe(0)

  const events = parsed(mining)
  expect(events[0]).toMatchObject({ event: 'started', dataDir, dashboard: null })
  const [last] = events.slice(-1)
  if (last?.event !== 'stopped') throw new Error('the last event is not "stopped"')
  expect(last.reason).toBe('signal')
  expect(events.filter(({ event }) => event === 'job')).toEqual([])
  const shares = events.filter((event) => event.event === 'share')
  for (const share of shares.filter(({ state }) => state === 'accepted')) {
    expect(share.tier).toBe('itp1-small')
    expect(shares).toContainEqual(expect.objectContaining({ nonce: share.nonce, state: 'submitted' }))
  }
  const credits = events.filter((event) => event.event === 'credit' && event.state === 'accepted')
  expect(credits.length).toBeGreaterThan(0)
  for (const credit of credits) {
    expect(credit).toMatchObject({ kind: 'share', device: 'cpu0', verification: 'recomputed' })
    if (credit.event === 'credit') expect(BigInt(credit.macs) % TIERS['itp1-small'].macs).toBe(0n)
  }
  const plain = await lode(dataDir, ['ledger', 'verify'])
  expect(plain).toMatchObject({ code: 0 })
  expect(plain.stdout).toContain('no market value')
  await expectBooks(dataDir, events)
  await eventually(() => processesMentioning(dataDir).length === 0, 'nothing left running')
})

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

test('over two epochs: credit in both, synthetic jobs are useful jobs, a signal ends it, nothing is left', async () => {
  const dataDir = temporaryFolder()
  const mining = mine(dataDir, '--tier', 'itp1-small', '--epoch-seconds', '10')
  const first = await mining.until(({ event }) => event === 'started')
  const link = z.string().parse(first.dashboard)
  const page = await fetch(new URL('/', link))
  expect(page.status).toBe(200)
  const file = join(dataDir, 'engine.json')
  expect(z.object({ pid: z.number() }).parse(JSON.parse(readFileSync(file, 'utf8'))).pid).toBe(mining.child.pid)
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)

  await Promise.all([mining.until(accepted('share')), mining.until(accepted('job'))])
  // Credit of this epoch beside credit of those before it, in one reading.
  const inTwo = async (): Promise<boolean> => {
    const { creditMacs, mining: isMining, pid } = answerOf(statusAnswer, await lode(dataDir, ['status', '--json']))
    expect({ isMining, pid }).toEqual({ isMining: true, pid: mining.child.pid })
    return creditMacs.epoch !== '0' && BigInt(creditMacs.total) > BigInt(creditMacs.epoch)
  }
  await eventually(inTwo, 'credit in two epochs')
  mining.child.kill('SIGINT')
  expect((await mining.exited).code).toBe(0)

  const events = parsed(mining)
  expect(events.at(-1)).toMatchObject({ event: 'stopped', reason: 'signal' })
  const jobs = events.filter((event) => event.event === 'credit' && event.kind === 'job' && event.state === 'accepted')
  for (const job of jobs) if (job.event === 'credit') expect(job.verification).not.toBeNull()
  expect(events).toContainEqual(expect.objectContaining({ event: 'job', state: 'accepted' }))
  await expectBooks(dataDir, events)
  expect(existsSync(file)).toBe(false)
  await eventually(() => processesMentioning(dataDir).length === 0, 'nothing left running')
})

test('a second one follows the first, leaves it running, and "stop" ends it', async () => {
  const dataDir = temporaryFolder()
  // The tests' tier: taken only because it is asked for by name.
  const first = mine(dataDir, '--no-dashboard', '--tier', 'itp1-test')
  const begun = await first.until(accepted('share'))
  expect(first.events).toContainEqual(expect.objectContaining({ event: 'share', tier: 'itp1-test' }))

  const second = mine(dataDir, '--max-credits', '1000000')
  expect(await second.until(({ event }) => event === 'started')).toMatchObject({
    rig: first.events[0]?.rig,
    dashboard: null,
  })
  const followed = await second.until(({ event, state }) => event === 'credit' && state === 'accepted')
  expect(followed.id).not.toBe(begun.id)
  second.child.kill('SIGINT')
  expect((await second.exited).code).toBe(0)
  expect(parsed(second).at(-1)).toMatchObject({ event: 'stopped', reason: 'signal' })
  expect(second.stderr()).toContain(`${first.child.pid}`)

  const still = answerOf(statusAnswer, await lode(dataDir, ['status', '--json']))
  expect(still).toMatchObject({ mining: true, pid: first.child.pid })
  const stop = await lode(dataDir, ['stop', '--json'])
  expect(stop).toMatchObject({ code: 0 })
  expect(stop.json()).toEqual({ mining: false, pid: first.child.pid })
  expect((await first.exited).code).toBe(0)
  expect(parsed(first).at(-1)).toMatchObject({ event: 'stopped', reason: 'stopped' })
  expect(first.events.filter(({ id }) => id === followed.id)).not.toEqual([])
})

test('as many credits as wanted, and then no more work', async () => {
  const dataDir = temporaryFolder()
  const mining = mine(dataDir, '--no-dashboard', '--tier', 'itp1-small', '--max-credits', '2')
  expect((await mining.exited).code).toBe(0)
  const events = parsed(mining)
  const credited = events.filter((event) => event.event === 'credit' && event.state === 'accepted')
  expect(events.at(-1)).toMatchObject({ event: 'stopped', reason: 'credits' })
  expect(credited.length).toBeGreaterThanOrEqual(2)
  await expectBooks(dataDir, events)
  // For people: words, and never a line of JSON.
  const plain = await lode(dataDir, ['mine', '--no-dashboard', '--tier', 'itp1-small', '--max-credits', '1'])
  expect(plain.code).toBe(0)
  expect(plain.stdout).not.toContain('{')
  expect(plain.stdout).toMatch(/share accepted: .*MAC \(recomputed\)/)
  expect(plain.stdout).toContain('no market value')
})
