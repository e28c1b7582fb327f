import { fork, type ChildProcess } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'vite'
import { z } from 'zod'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLedger } from './open'
import { makeWorld, signatures, type TestWorld } from './ledger.test.support'

const ROUNDS = 20
let world: TestWorld
let program: string

beforeAll(async () => {
  world = makeWorld()
  const outDir = join(world.folder, 'program')
  const root = resolve(import.meta.dirname, '../../..')
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    build: {
      ssr: resolve(import.meta.dirname, 'kill.test.child.ts'),
      outDir,
      target: 'node24',
      rolldownOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  })
  symlinkSync(join(root, 'node_modules'), join(world.folder, 'node_modules'))
  program = join(outDir, 'child.mjs')
})
afterAll(() => world.remove())

const message = z.union([z.object({ accepted: z.string() }), z.object({ ready: z.literal(true) })])

describe('a process killed in the middle', () => {
  it(`loses no credit it reported and doubles none, ${ROUNDS} times`, async () => {
    const folder = join(world.folder, 'data')
    const reported = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const child = fork(program, [folder, String(round * 1_000_000)], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      // After some transactions, at no even time.
      const messages = follow(child, reported, 3 + (round % 5))
      await messages.enough
      await new Promise((done) => setTimeout(done, (round * 37) % 31))
      child.kill('SIGKILL')
      await messages.end

      const ledger = openLedger({ ...world.options, folder })
      const report = ledger.verify({ signatures })
      expect(report.problems).toEqual([])
      const lines = [...ledger.exportCredits()]
      const accepted = lines.filter(({ state }) => state === 'accepted')
      const ids = new Set(accepted.map(({ id }) => id))
      expect([...reported].filter((id) => !ids.has(id))).toEqual([])
      const recovery = ledger.recover()
      expect(recovery.shares.length + recovery.results.length).toBe(
        lines.filter(({ state }) => state === 'submitted').length,
      )
      const held = lines.filter(({ state }) => state === 'held').map(({ ref }) => ref)
      expect(recovery.held).toEqual(held)
      expect(ledger.workPage({ state: 'held' }, 0, 1).total).toBe(held.length)
      expect(ledger.openJobs().filter(({ state }) => state === 'running')).toEqual([])
      expect(new Set(lines.map(({ ref }) => ref)).size).toBe(lines.length)
      expect(ledger.creditTotals({ dayStart: 0 })).toMatchObject({
        credits: accepted.length,
        total: accepted.reduce((sum, { creditMacs }) => sum + BigInt(creditMacs), 0n),
      })
      ledger.close()
    }
    expect(reported.size).toBeGreaterThan(ROUNDS)
  })
})

/** `enough` settles after so many messages, `end` when the process has ended. */
function follow(
  child: ChildProcess,
  reported: Set<string>,
  messages: number,
): { enough: Promise<void>; end: Promise<unknown> } {
  let count = 0
  let reach: () => void = () => undefined
  const enough = new Promise<void>((done) => {
    reach = done
  })
  const end = new Promise((done) => child.once('close', done))
  child.on('message', (value) => {
    const parsed = message.parse(value)
    if ('accepted' in parsed) reported.add(parsed.accepted)
    if (++count >= messages) reach()
  })
  return { enough, end }
}
