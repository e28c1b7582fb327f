/**
 * SIGKILL at random moments while mining: worker, verifier, engine, all of it. Whatever was reported accepted is in the
 * ledger once, the ledger stays in order, the next start works and nothing is left running.
 * One round a victim in `npm test`, a hundred or LODE_FAULT_ROUNDS in `npm run test:all` and `npm run faults`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
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

const rounds = Number(process.env.LODE_FAULT_ROUNDS ?? 100)
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

/** Within some hundred milliseconds: no even time. */
const soon = (): Promise<void> => sleep(Math.random() * 300)

/** Some events later, and within what follows the last of them. */
async function randomMoment(mining: Following): Promise<void> {
  const later = mining.events.length + Math.floor(Math.random() * 8)
  await eventually(() => mining.events.length >= later || mining.child.exitCode !== null, 'that mining goes on')
  await soon()
}

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

const numbered = Array.from({ length: rounds }, (_, round) => ({
  round,
  victim: victims[round % victims.length] as Victim,
}))

// Each has its own processes and its own folder, and often waits for them: two at a time.
describe.each([
  { tags: [], some: numbered.slice(0, victims.length) },
  { tags: ['long'], some: numbered.slice(victims.length) },
])('while mining', ({ tags, some }) => {
  test.concurrent.for(some)(
    'round $round: SIGKILL of $victim loses and doubles nothing',
    { tags },
    async ({ victim }) => {
      const dataDir = temporaryFolder()
      const mining = follow(
        startLode(dataDir, ['mine', '--json', '--no-dashboard', '--tier', 'itp1-small', '--epoch-seconds', '60']),
      )
      await mining.until(isAccepted)
      await randomMoment(mining)
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
})

test('a killed engine leaves no process behind, also in the middle of starting', async () => {
  const dataDir = temporaryFolder()
  const child = startLode(dataDir, ['mine', '--json', '--no-dashboard'])
  const done = finished(child)
  await eventually(() => readdirSync(dataDir).length > 0, 'that it began to start')
  await soon()
  child.kill('SIGKILL')
  await done
  await eventually(() => processesMentioning(dataDir).length === 0, 'every process ended')
  const status = await lode(dataDir, ['status', '--json'])
  expect(status.code).toBe(0)
})
