import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, it } from 'vitest'
import type { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { isGenuine } from '#shared/domain/signed'
import { commitmentOf } from '#shared/protocol/epoch-chain'
import {
  codeOf,
  createRig,
  createSyntheticJobs,
  createTestClock,
  LISTED_MODELS,
  hashProof,
  plainAppraiser,
  receiptOf,
  seededRandom,
  START,
  valueOf,
} from '../../../test/support/coordinator-harness'
import { signatureVerifier } from './ed25519'
import { overSessions } from '../../../test/support/sessions'
import { openPracticeNetwork, type PracticeNetworkOptions } from './practice'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp()
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lode-practice-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
async function open(folder: string, changes: Partial<PracticeNetworkOptions> = {}) {
  const random = seededRandom(`practice ${cleanUps.length}`)
  const options = {
    folder,
    verifier: hashProof,
    appraiser: plainAppraiser,
    syntheticJobs: createSyntheticJobs(),
    clock: createTestClock(),
    random,
    onError: (error: unknown): void => expect.fail(String(error)),
    configuration: { models: LISTED_MODELS },
    ...changes,
  }
  const network = await openPracticeNetwork(options)
  network.start()
  cleanUps.push(() => network.close())
  return { ...network, coordinator: overSessions(network.coordinator) }
}
async function mineOne({ coordinator }: Awaited<ReturnType<typeof open>>, name = 'rig') {
  const rig = createRig(coordinator, name)
  const unit = await rig.unit()
  const share = rig.sign(unit, await rig.find(unit))
  return { share, receipt: receiptOf(await coordinator.submitShare(share)) }
}

describe('the practice network of version 0.1.0', () => {
  const former = new URL('../../../test/fixtures/data-folder-0.1.0/', import.meta.url)

  it('goes on under its key with an epoch of this version, also inside one of that version', async () => {
    const folder = newFolder()
    for (const file of ['network.db', 'network.key']) copyFileSync(new URL(file, former), join(folder, file))
    const clock = createTestClock(1_796_047_500_000)
    const network = await open(folder, { clock })
    const { epoch, networkKey } = await network.coordinator.current()
    expect(networkKey).toBe('77dd5f225781e8a67ee523ee468d8f4c388bfe04dc7b628adcddb8c7a0d9e11f')
    expect(epoch.body).toMatchObject({ network: networkKey, number: 2, startsAt: clock.now() })
    expect(isGenuine('epoch', epoch, signatureVerifier, networkKey)).toBe(true)
    expect((await mineOne(network)).receipt.body).toMatchObject({ network: networkKey, epoch: 2 })
    // That version committed to nothing. What follows is bound.
    expect(epoch.body.reveal).toBeUndefined()
    clock.advance(600_000)
    const next = (await network.coordinator.current()).epoch.body
    expect(next.number).toBe(3)
    expect(commitmentOf(next.reveal!)).toBe(epoch.body.commitment)
  })

  it('still says of its jobs what became of them; their receipts have the form of that version and stay in the store', async () => {
    const folder = newFolder()
    for (const file of ['network.db', 'network.key']) copyFileSync(new URL(file, former), join(folder, file))
    const network = await open(folder, { clock: createTestClock(1_796_047_500_000) })
    const done = await network.coordinator.jobState('01a22cbb-9582-74c2-baf8-3a8bae0d8109')
    expect(done).toEqual({ state: 'done', attempts: 1 })
    expect((await network.coordinator.jobState('01a22cc5-b81f-7340-b130-e26ba2702f61'))?.state).toBe('queued')
  })
})

describe('the practice network', () => {
  it('keeps key, epoch, units, leases and receipts over a restart', async () => {
    const folder = newFolder()
    const clock = createTestClock()
    const before = await open(folder, { clock })
    const { share, receipt } = await mineOne(before)
    const rig = createRig(before.coordinator)
    const unit = await rig.unit()
    const second = rig.sign(unit, await rig.find(unit))
    const offer = valueOf(await rig.lease(['ocr']))
    const { epoch } = await before.coordinator.current()
    before.close()

    clock.advance(20_000)
    const after = await open(folder, { clock })
    expect(after.notices).toEqual([])
    expect(after.networkKey).toBe(before.networkKey)
    expect((await after.coordinator.current()).epoch).toEqual(epoch)
    expect(await after.coordinator.submitShare(share)).toEqual({ ok: true, state: 'accepted', receipt, repeated: true })
    expect(codeOf(await after.coordinator.submitShare(second))).toBe('accepted')
    expect(codeOf(await after.coordinator.submitJob(rig.deliver(offer)))).toBe('accepted')
  })

  it('has every acknowledged share in its files, whenever it is killed', async () => {
    const folder = newFolder()
    const network = await open(folder)
    const acknowledged = []
    for (let round = 0; round < 8; round++) {
      acknowledged.push(await mineOne(network, `rig ${round % 3}`))
      // What a killed process leaves behind: the files as they are, never closed.
      const left = newFolder()
      for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(left, name))
      const survivor = await open(left)
      expect(survivor.notices).toEqual([])
      for (const { share, receipt } of acknowledged) {
        expect(await survivor.coordinator.submitShare(share)).toEqual({
          ok: true,
          state: 'accepted',
          receipt,
          repeated: true,
        })
      }
      survivor.close()
    }
  })

  it('keeps its files to their owner', async () => {
    const folder = newFolder()
    await mineOne(await open(folder))
    const names = readdirSync(folder)
    expect(names).toEqual(expect.arrayContaining(['network.db', 'network.key']))
    for (const name of names) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
  })

  it('gives one credit a share to a hundred rigs at once', async () => {
    const { coordinator } = await open(newFolder())
    const credits = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const rig = createRig(coordinator, `rig ${index}`)
        valueOf(await rig.hello())
        const unit = await rig.unit()
        const share = rig.sign(unit, await rig.find(unit))
        const answers = await Promise.all([1, 2, 3].map(() => coordinator.submitShare(share)))
        return answers.map((answer) => receiptOf(answer).id)
      }),
    )
    expect(new Set(credits.flat()).size).toBe(100)
  })

  it('says that it is closed', async () => {
    const network = await open(newFolder())
    const rig = createRig(network.coordinator)
    network.close()
    await expect(rig.hello()).rejects.toMatchObject({ name: 'Failure', code: 'unavailable' } satisfies Partial<Failure>)
  })
})

describe('the timers of the practice network', () => {
  it('ends its leases while it is open, and ends with it', async () => {
    const clock = createTestClock()
    const folder = newFolder()
    const network = await open(folder, { clock })
    valueOf(await createRig(network.coordinator).lease(['ocr']))
    await expect.poll(() => clock.waiting).toBe(2)
    const reader = new Database(join(folder, 'network.db'), { readonly: true })
    cleanUps.push(() => reader.close())
    const state = (): unknown => reader.prepare('SELECT state FROM jobs').pluck().get()
    expect(state()).toBe('leased')
    clock.advance(30_001)
    await expect.poll(state).toBeUndefined()
    network.close()
    expect(clock.waiting).toBe(0)
  })

  it('says once that the store fails, and nothing once it is closed', async () => {
    const clock = createTestClock()
    const errors: unknown[] = []
    const folder = newFolder()
    const network = await open(folder, { clock, onError: (error) => errors.push(error) })
    await expect.poll(() => clock.waiting).toBe(2)
    const other = new Database(join(folder, 'network.db'))
    cleanUps.push(() => other.close())
    other.exec('ALTER TABLE jobs RENAME TO work')
    for (let round = 0; round < 2; round++) {
      clock.advance(5000)
      await expect.poll(() => clock.waiting).toBe(2)
    }
    expect(errors).toHaveLength(1)
    clock.advance(5000)
    network.close()
    expect([clock.waiting, errors.length]).toEqual([0, 1])
  })
})

describe('damaged files of the practice network', () => {
  it.each([
    ['a header of other bytes', (bytes: Buffer) => bytes.fill('x', 0, 64)],
    ['pages of other bytes', (bytes: Buffer) => bytes.fill(0xa5, 4096, bytes.length)],
    ['half of it missing', (bytes: Buffer) => bytes.subarray(0, 4096 * 3 + 100)],
  ])('%s: moved aside under another name, a new store created, and reported', async (_, damage) => {
    const folder = newFolder()
    const file = join(folder, 'network.db')
    const before = await open(folder)
    await mineOne(before)
    before.close()
    const damaged = damage(Buffer.from(readFileSync(file)))
    writeFileSync(file, damaged)

    const after = await open(folder)
    expect(after.notices).toHaveLength(1)
    const kept = join(folder, 'network.db.damaged-2026-01-15T12-00-00')
    expect(after.notices).toEqual([message('network-recreated', { kept })])
    expect(readFileSync(kept).equals(damaged)).toBe(true)
    expect(after.networkKey).toBe(before.networkKey)
    // The ledger knows epoch 0 of the lost store: the new one never uses that number again.
    expect((await after.coordinator.current()).epoch.body.number).toBe(START / 1000)
    expect((await mineOne(after)).receipt.body.epoch).toBe(START / 1000)
    after.close()
    expect((await open(folder)).notices).toEqual([])
  })

  it('a database of something else is moved aside too, and never a second time under the same name', async () => {
    const folder = newFolder()
    for (const suffix of ['', '-2']) {
      for (const part of ['', '-wal', '-shm']) rmSync(join(folder, `network.db${part}`), { force: true })
      const foreign = new Database(join(folder, 'network.db'))
      foreign.exec('CREATE TABLE recipes (name TEXT)')
      foreign.close()
      const network = await open(folder)
      const kept = join(folder, `network.db.damaged-2026-01-15T12-00-00${suffix}`)
      expect(network.notices).toEqual([message('network-recreated', { kept })])
      network.close()
    }
  })

  it('a damaged key is moved aside and replaced; the next epoch is signed with the new one', async () => {
    const folder = newFolder()
    const before = await open(folder)
    const { epoch } = await before.coordinator.current()
    before.close()
    writeFileSync(join(folder, 'network.key'), 'not a key')
    const after = await open(folder)
    expect(after.notices[0]?.code).toBe('network-key-recreated')
    expect(existsSync(join(folder, 'network.key.damaged-2026-01-15T12-00-00'))).toBe(true)
    expect(after.networkKey).not.toBe(before.networkKey)
    const welcome = await after.coordinator.current()
    expect(welcome.epoch.body.number).toBe(epoch.body.number + 1)
    expect(isGenuine('epoch', welcome.epoch, signatureVerifier, after.networkKey)).toBe(true)
  })

  it('a store of a newer version is refused and left as it is', async () => {
    const folder = newFolder()
    const network = await open(folder)
    network.close()
    const db = new Database(join(folder, 'network.db'))
    db.pragma('user_version = 99')
    db.close()
    const before = readFileSync(join(folder, 'network.db'))
    await expect(open(folder)).rejects.toMatchObject({ code: 'ledger-newer' })
    expect(readFileSync(join(folder, 'network.db')).equals(before)).toBe(true)
  })

  it('a folder that is not there is a failure with a sentence', async () => {
    await expect(open(join(newFolder(), 'nowhere'))).rejects.toMatchObject({ code: 'data-folder' })
  })

  it('a file that cannot be opened is a failure with a sentence, and stays', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, 'network.db'))
    await expect(open(folder)).rejects.toMatchObject({ code: 'data-folder' })
    expect(statSync(join(folder, 'network.db')).isDirectory()).toBe(true)
  })
})
