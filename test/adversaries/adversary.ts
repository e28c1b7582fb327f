/**
 * Modified rigs against a practice network on a real database, over sessions in their serialized form. What a rig earns is
 * compared with what it spent, in MACs of proof. The model of effort favours the rig: a MAC of a job costs as little as a MAC
 * of proof, which nothing on its machine multiplies faster than; whatever is invented, hashed, signed or sent costs nothing.
 */
import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import type { CoordinatorConfiguration, Verifier } from '#coordinator/coordinator'
import { openPracticeNetwork } from '#engine/network/index'
import { EncodedInput } from '#shared/domain/encoded-input'
import type { JobInput } from '#shared/domain/job'
import type { Signed } from '#shared/domain/signed'
import { TIERS } from '#shared/domain/tiers'
import type { Hello } from '#shared/protocol/hello'
import {
  createRig,
  createSyntheticJobs,
  createTestClock,
  hashProof,
  LISTED_MODELS,
  MODELS,
  plainAppraiser,
  seededRandom,
  valueOf,
  type Rig,
} from '../support/coordinator-harness'
import { overSessions } from '../support/sessions'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp()
})

/** What a network of strangers asks beyond practice's rules, whose one rig is its own. */
export const STRANGERS: Partial<CoordinatorConfiguration> = { suspensionSeconds: 600, wordsToGiveUp: 2 }

export const MACS_OF_NONCE = TIERS['itp1-base'].macs

export type AdversaryNetwork = Awaited<ReturnType<typeof openNetwork>>

/** A practice network with an own rig, which none of the tests' rigs is. */
export async function openNetwork(configuration: Partial<CoordinatorConfiguration> = STRANGERS) {
  const folder = mkdtempSync(join(tmpdir(), 'lode-adversaries-'))
  cleanUps.push(() => rmSync(folder, { recursive: true }))
  const clock = createTestClock()
  const verified = { macs: 0n }
  const verifier: Verifier = {
    digest: (context) => {
      verified.macs += TIERS[context.tier].macs
      return hashProof.digest(context)
    },
  }
  const network = await openPracticeNetwork({
    folder,
    clock,
    verifier,
    appraiser: plainAppraiser,
    random: seededRandom('adversaries'),
    syntheticJobs: createSyntheticJobs(),
    onError: (error) => expect.fail(String(error)),
    configuration: { models: LISTED_MODELS, ownRig: 'f'.repeat(64), ...configuration },
  })
  network.start()
  cleanUps.push(() => network.close())
  const books = new Database(join(folder, 'network.db'), { readonly: true })
  cleanUps.push(() => books.close())
  const count = (sql: string, ...values: unknown[]): number =>
    Number(
      books
        .prepare(sql)
        .pluck()
        .get(...values),
    )
  return {
    clock,
    coordinator: overSessions(network.coordinator),
    /** MACs that the network recomputed */
    verified,
    /** credit of a rig, by the network's books */
    earned: (rig: string): bigint => {
      const credits = books
        .prepare(
          `SELECT json_extract(signed, '$.body.creditMacs') FROM receipts WHERE json_extract(signed, '$.body.rig') = ?`,
        )
        .pluck()
        .all(rig) as string[]
      return credits.reduce((sum, credit) => sum + BigInt(credit), 0n)
    },
    /** how many jobs the books have, in whatever state */
    jobs: (): number => count('SELECT count(*) FROM jobs'),
    receipts: (rig: string): number =>
      count(`SELECT count(*) FROM receipts WHERE json_extract(signed, '$.body.rig') = ?`, rig),
  }
}

/** A rig that counts what it computes. Who it is follows from its name. */
export function createAdversary(network: AdversaryNetwork, name = 'adversary') {
  const rig: Rig = createRig(network.coordinator, name)
  let effort = 0n
  return {
    ...rig,
    /** Computes a nonce of the unit, or work of so many MACs. */
    computes: (macs: bigint) => {
      effort += macs
    },
    /** Credit for each unit of its own work: honest proof has 1. Undefined: it earned something for nothing. */
    gain: (): number | undefined => {
      const earned = network.earned(rig.key)
      if (effort === 0n) return earned === 0n ? 0 : undefined
      return Number((earned * 1_000_000n) / effort) / 1_000_000
    },
  }
}

/** What a rig of this name says as its hello, signed and not sent. */
export async function helloOf(
  { coordinator }: AdversaryNetwork,
  name: string,
  changes: object,
): Promise<Signed<Hello>> {
  let hello: Signed<Hello> | undefined
  const notSent: typeof coordinator.hello = async (signed) => {
    hello = signed
    return { ok: false, refusal: { code: 'malformed', message: 'It was not sent.' } }
  }
  await createRig({ ...coordinator, hello: notSent }, name).hello(changes)
  if (!hello) throw new Error('a rig says hello')
  return hello
}

let last = 0

/** Somebody orders a job. Returns its id. */
export async function order(
  { coordinator }: AdversaryNetwork,
  input: JobInput,
  changes: { deadline?: number; buyer?: 'person' | 'gateway' } = {},
): Promise<string> {
  const id = `0190a5c0-0000-7000-8000-${String(++last).padStart(12, '0')}`
  const { model } = MODELS[input.kind]
  valueOf(await coordinator.enqueueJob({ id, input: EncodedInput.of(input), model, buyer: 'person', ...changes }))
  return id
}

export function question(content: string, maxTokens = 8192): JobInput {
  return { kind: 'chat', messages: [{ role: 'user', content }], maxTokens }
}
export function sentences(...texts: string[]): JobInput {
  return { kind: 'embed', texts }
}
