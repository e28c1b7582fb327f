import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'vite'
import { z } from 'zod'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jobDelivery } from '#shared/protocol/job'
import { acknowledgement, type Acknowledgement } from '#shared/protocol/refusal'
import { signedShare } from '#shared/protocol/share'
import { createHarness, createTestClock, receiptOf, START } from '../../../test/support/coordinator-harness'
import type { TestNetwork } from '../../../test/support/sessions'
import { openNetworkDatabase } from './database'
import { createSqliteStore } from './store'

const message = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ sent: z.union([z.object({ share: signedShare }), z.object({ delivery: jobDelivery })]) }),
  z.object({ answered: z.string(), answer: acknowledgement }),
])
/** The first pause between two checks of a delivery. */
const CHECK_PAUSE_MILLISECONDS = 30_000

type Sent = Extract<z.infer<typeof message>, { sent: unknown }>['sent']

let folder: string
let program: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lode-coordinator-kill-'))
  const root = resolve(import.meta.dirname, '../../..')
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    build: {
      ssr: resolve(import.meta.dirname, 'kill.test.child.ts'),
      outDir: join(folder, 'program'),
      target: 'node24',
      rolldownOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  program = join(folder, 'program', 'child.mjs')
})
afterAll(() => rmSync(folder, { recursive: true }))

/** All that was sent, by its id, and the answers that came, over all rounds. */
const sent = new Map<string, Sent>()
const receipts = new Map<string, string>()

const idOf = (work: Sent): string => ('share' in work ? work.share.id : work.delivery.result.id)
const submit = (network: TestNetwork, work: Sent): Promise<Acknowledgement> =>
  'share' in work ? network.submitShare(work.share) : network.submitJob(work.delivery)

/** Lets the child say some things, kills it within what follows the last of them, and keeps what it said. */
async function strike(round: number): Promise<void> {
  const child = fork(program, [folder, String(round)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ended = new Promise((done) => child.once('close', done))
  let left = 2 + Math.floor(Math.random() * 10)
  let hasWorked: () => void
  const worked = new Promise<void>((done) => {
    hasWorked = done
  })
  child.on('message', (value) => {
    const told = message.parse(value)
    left--
    if (left === 0) hasWorked()
    if ('sent' in told) sent.set(idOf(told.sent), told.sent)
    if ('answered' in told) receipts.set(told.answered, receiptOf(told.answer).id)
  })
  await worked
  await sleep(Math.random() * 20)
  child.kill('SIGKILL')
  await ended
}

/** Sends again what has no answer, as a rig does after a crash, and some of what was answered. */
async function check(round: number): Promise<void> {
  const { database } = openNetworkDatabase(folder, START)
  try {
    const store = createSqliteStore(database)
    const clock = createTestClock(START + round * 1000)
    const { coordinator } = await createHarness({ store, clock, seed: `check ${round}` })
    for (const [ref, work] of sent) {
      const before = receipts.get(ref)
      if (before !== undefined && Math.random() > 0.05) continue
      let answer = await submit(coordinator, work)
      if (answer.ok && answer.state === 'held') {
        // The killed one had begun to check it: nobody else does until its pause is over.
        clock.advance(CHECK_PAUSE_MILLISECONDS)
        answer = await submit(coordinator, work)
      }
      const { id, body } = receiptOf(answer)
      expect(body.ref).toBe(ref)
      expect(id).toBe(before ?? id)
      if (before !== undefined) expect(answer).toMatchObject({ repeated: true })
      receipts.set(ref, id)
    }
    expect(new Set(receipts.values()).size).toBe(receipts.size)
    expect((await store.totals()).receipts).toBe(sent.size)
  } finally {
    database.close()
  }
}

describe.each([
  { tags: [], first: 0, rounds: 5 },
  { tags: ['long'], first: 5, rounds: 95 },
])('a coordinator that is killed', ({ tags, first, rounds }) => {
  it(`at ${rounds} random points loses nothing that it acknowledged, and credits nothing twice`, { tags }, async () => {
    for (let round = first; round < first + rounds; round++) {
      await strike(round)
      await check(round)
    }
    expect(sent.size).toBeGreaterThan(rounds)
  })
})
