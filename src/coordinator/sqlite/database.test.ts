import Database from 'better-sqlite3'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createSigner } from '#engine/network/index'
import { EncodedInput } from '#shared/domain/encoded-input'
import { signObject } from '#shared/domain/signed'
import { MODELS, START } from '../../../test/support/coordinator-harness'
import { DEFAULT_CONFIGURATION, parametersOf } from '../configuration'
import { openNetworkDatabase } from './database'
import { createSqliteStore } from './store'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp()
})

const rig = 'a'.repeat(64)
const id = (last: number): string => `0190a5c0-0000-7000-8000-00000000000${last}`
const input = EncodedInput.of({ kind: 'embed', texts: ['A sentence.'] })

/** A network.db as version 2 left it: an epoch, a job that is leased, one that is queued and one that is done. */
function version2(folder: string, modelFactorsMilli: object): void {
  const database = new Database(join(folder, 'network.db'))
  for (const name of ['0001-network.sql', '0002-deadlines.sql'])
    database.exec(readFileSync(new URL(`migrations/${name}`, import.meta.url), 'utf8'))
  database.pragma(`application_id = ${0x4c6f644e}`)
  database.pragma('user_version = 2')
  const signer = createSigner('11'.repeat(32))
  const { models: _models, ...since } = parametersOf(DEFAULT_CONFIGURATION, 'practice')
  const { kindFactorsMilli } = DEFAULT_CONFIGURATION
  const parameters = signObject('parameters', { ...since, kindFactorsMilli, modelFactorsMilli }, signer)
  const period = { startsAt: START, endsAt: START + 600_000, parameters: parameters.id }
  const epoch = signObject('epoch', { network: 'practice', number: 4, seed: '0'.repeat(64), ...period }, signer)
  database.prepare('INSERT INTO parameters VALUES (?, ?)').run(parameters.id, JSON.stringify(parameters))
  database.prepare('INSERT INTO epochs VALUES (?, ?)').run(4, JSON.stringify(epoch))
  const add = database.prepare(
    `INSERT INTO jobs (id, kind, model, input_hash, buyer, priority, created_at, state, attempts, lease_rig, lease_expires_at, lease_formula)
     VALUES (?, 'embed', ?, ?, 'person', 0, ?, ?, ?, ?, ?, ?)`,
  )
  const formula = JSON.stringify(MODELS.embed.macFormula)
  for (const [last, state, ...lease] of [
    [1, 'leased', 1, rig, START + 30_000, formula],
    [2, 'queued', 0, null, null, null],
    [3, 'done', 1, rig, START, formula],
  ] as const)
    add.run(id(last), MODELS.embed.model, input.hash, START, state, ...lease)
  database.exec(`
    INSERT INTO jobs (id, kind, model, input_hash, buyer, priority, created_at, state, attempts, result_signature)
      SELECT '${id(4)}', kind, model, input_hash, 'sample', 2, created_at, 'queued', 1, NULL FROM jobs WHERE id = '${id(2)}'
      UNION ALL SELECT '${id(5)}', kind, model, input_hash, 'sample', 2, created_at, 'failed', 3, NULL FROM jobs WHERE id = '${id(2)}'
      UNION ALL SELECT '${id(6)}', kind, model, input_hash, 'sample', 2, created_at, 'failed', 1, 'judged' FROM jobs WHERE id = '${id(2)}';
  `)
  for (const last of [1, 2, 5]) database.prepare('INSERT INTO job_inputs VALUES (?, ?)').run(id(last), input.text)
  database.close()
}

describe('a network.db of version 2', () => {
  it.each([
    ['of their kind', {}, DEFAULT_CONFIGURATION.kindFactorsMilli.embed],
    ['of their model', { [MODELS.embed.model]: { prompt: 1234, generated: 0 } }, { prompt: 1234, generated: 0 }],
  ])('keeps its jobs; leases get the newest epoch and the factor %s', async (_, modelFactorsMilli, factor) => {
    const folder = mkdtempSync(join(tmpdir(), 'lode-network-'))
    cleanUps.push(() => rmSync(folder, { recursive: true }))
    version2(folder, modelFactorsMilli)
    const { database, movedAside } = openNetworkDatabase(folder, START)
    cleanUps.push(() => database.close())
    expect(movedAside).toBeUndefined()
    const store = createSqliteStore(database)
    expect((await store.job(id(1)))?.lease).toEqual({
      rig,
      expiresAt: START + 30_000,
      renewableUntil: START + 30_000 + 6 * 3_600_000,
      formula: MODELS.embed.macFormula,
      epoch: 4,
      factor,
    })
    expect(await store.job(id(2))).toMatchObject({ state: 'queued', attempts: 0 })
    expect((await store.job(id(3)))?.lease).toMatchObject({ epoch: 4, factor })
    expect(await store.jobInput(id(1))).toEqual(input)
    expect((await store.job(id(1)))?.workHash).toBe(input.hash)
    expect(await store.heldJobs(rig)).toBe(1)
    const [epoch] = await store.newestEpochs(1)
    expect(await store.parameters(epoch?.body.parameters ?? '')).toBeUndefined()
    // Synthetic jobs get a deadline, and those that were abandoned are gone.
    expect((await store.job(id(4)))?.deadline).toBe(START + 3_600_000)
    expect([await store.job(id(5)), await store.jobInput(id(5))]).toEqual([undefined, undefined])
    expect(await store.job(id(6))).toMatchObject({ state: 'failed' })
  })
})
