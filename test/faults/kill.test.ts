/**
 * SIGKILL at random moments while mining: worker, verifier, engine, all of it. Whatever was reported accepted is in the
 * ledger once, the books stay in order, the next start works and nothing is left running.
 * Ten rounds in the tests, LODE_FAULT_ROUNDS in `npm run faults`.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  finished,
  follow,
  lode,
  processesMentioning,
  startLode,
  temporaryFolder,
  type Following,
} from '../support/lode'
import { eventually } from '../support/waiting'

const rounds = Number(process.env.LODE_FAULT_ROUNDS ?? 10)
const victims = ['worker', 'verifier', 'engine', 'all'] as const
type Victim = (typeof victims)[number]

/** The processes of this engine by what they do. */
function processes(dataDir: string): Record<Exclude<Victim, 'all'>, number[]> & { all: number[] } {
  const all = processesMentioning(dataDir)
  const role = (pid: number): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    } catch {
      return ''
    }
  }
  return {
    all,
    worker: all.filter((pid) => role(pid).includes('"role":"worker"')),
    verifier: all.filter((pid) => role(pid).includes('"role":"verifier"')),
    engine: all.filter((pid) => role(pid).includes('lode.js')),
  }
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended in the meantime.
    }
  }
}

const acceptedIds = (events: readonly Record<string, unknown>[]): string[] =>
  events.filter(({ event, state }) => event === 'credit' && state === 'accepted').map(({ id }) => String(id))

const isAccepted = (event: Record<string, unknown>): boolean => event.event === 'credit' && event.state === 'accepted'

async function strike(dataDir: string, mining: Following, victim: Victim): Promise<void> {
  const found = processes(dataDir)
  if (victim === 'engine' || victim === 'all') {
    kill(victim === 'all' ? found.all : found.engine)
    await mining.exited
    return
  }
  const before = acceptedIds(mining.events).length
  kill(found[victim])
  // Mining goes on by itself: a new process, and credit again.
  await eventually(() => acceptedIds(mining.events).length > before, `credit after the ${victim} was killed`)
  mining.child.kill('SIGINT')
  await mining.exited
}

test.each(Array.from({ length: rounds }, (_, round) => ({ round, victim: victims[round % victims.length] as Victim })))(
  'round $round: SIGKILL of $victim loses and doubles nothing',
  async ({ victim }) => {
    const dataDir = temporaryFolder()
    const mining = follow(
      startLode(dataDir, ['mine', '--json', '--no-dashboard', '--tier', 'itp1-small', '--epoch-seconds', '60']),
    )
    await mining.until(isAccepted)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 3000))
    await strike(dataDir, mining, victim)
    await eventually(() => processesMentioning(dataDir).length === 0, 'every process of the engine ended')

    const again = follow(
      startLode(dataDir, [
        'mine',
        '--json',
        '--no-dashboard',
        '--tier',
        'itp1-small',
        '--epoch-seconds',
        '60',
        '--max-credits',
        '1',
      ]),
    )
    expect((await again.exited).code).toBe(0)
    const reported = [...acceptedIds(mining.events), ...acceptedIds(again.events)]

    const verified = await lode(dataDir, ['ledger', 'verify', '--json'])
    expect(verified.json()).toMatchObject({ ok: true, problems: [] })
    const exported = (await lode(dataDir, ['ledger', 'export', '--json'])).lines()
    const credited = exported.filter(({ state }) => state === 'accepted').map(({ id }) => id)
    expect(new Set(credited).size).toBe(credited.length)
    expect(new Set(exported.map(({ ref }) => ref)).size).toBe(exported.length)
    for (const id of reported) expect(credited).toContain(id)
    await eventually(() => processesMentioning(dataDir).length === 0, 'nothing left running')
  },
)

test('a killed engine leaves no process behind for five seconds, also in the middle of starting', async () => {
  const dataDir = temporaryFolder()
  const child = startLode(dataDir, ['mine', '--json', '--no-dashboard'])
  const done = finished(child)
  await new Promise((resolve) => setTimeout(resolve, 400 + Math.random() * 600))
  child.kill('SIGKILL')
  await done
  await eventually(() => processesMentioning(dataDir).length === 0, 'every process ended')
  const status = await lode(dataDir, ['status', '--json'])
  expect(status.code).toBe(0)
})
