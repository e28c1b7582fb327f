/** A rig, a network and a clock for the ledger's tests: real keys, real signatures, real files. */
import { createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { v7 } from 'uuid'
import { bytesToHex, hexToBytes } from '#shared/domain/bytes'
import { EncodedInput } from '#shared/domain/encoded-input'
import type { JobSizes } from '#shared/domain/job'
import { creditMacs } from '#shared/domain/credit'
import type { JobResult } from '#shared/protocol/job'
import type { Receipt } from '#shared/protocol/receipt'
import type { ShareSubmission } from '#shared/protocol/share'
import type { Unit } from '#shared/protocol/unit'
import { sha256Hex, signObject, type SignatureVerifier, type Signed, type Signer } from '#shared/domain/signed'
import type { LedgerJob, JobResultRecord, LedgerNotice, OpenLedgerOptions, ShareRecord } from './types'

export interface TestWorld {
  folder: string
  clock: { time: number; now(): number }
  notices: LedgerNotice[]
  options: OpenLedgerOptions
  remove(): void
}

export const START = Date.UTC(2026, 4, 1, 12, 0, 0)

export function makeWorld(folder = mkdtempSync(join(tmpdir(), 'lode-ledger-'))): TestWorld {
  const clock = { time: START, now: () => clock.time }
  const notices: LedgerNotice[] = []
  return {
    folder,
    clock,
    notices,
    options: { folder, clock, ids: { uuid: () => v7() }, onNotice: (notice) => notices.push(notice) },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export function makeSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const publicKeyHex = bytesToHex(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)))
  return { publicKeyHex, sign: (message) => bytesToHex(new Uint8Array(sign(null, message, privateKey))) }
}

const keys = new Map<string, KeyObject>()
export const signatures: SignatureVerifier = {
  verify(publicKeyHex, message, signatureHex) {
    const known =
      keys.get(publicKeyHex) ??
      createPublicKey({
        key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), hexToBytes(publicKeyHex)]),
        format: 'der',
        type: 'spki',
      })
    keys.set(publicKeyHex, known)
    return verify(null, message, known, hexToBytes(signatureHex))
  },
}

export const rig = makeSigner()
export const network = makeSigner()
export const networkKeys = { practice: [network.publicKeyHex] }

export function makeUnit(epoch = 7): Signed<Unit> {
  return signObject(
    'unit',
    {
      network: network.publicKeyHex,
      unit: 0xfedc_ba98,
      rig: rig.publicKeyHex,
      epoch,
      tier: 'itp1-base',
      difficulty: '5',
      issuedAt: START,
      expiresAt: START + 600_000,
    },
    network,
  )
}

const MACS = 13_019_119_616n

/** Share number `counter` of a unit, with figures of its own. */
export function makeShare(unit: Signed<Unit>, counter: number, macs = MACS * 5n, factorMilli = 1000n): ShareRecord {
  const body: ShareSubmission = {
    network: network.publicKeyHex,
    rig: rig.publicKeyHex,
    epoch: unit.body.epoch,
    tier: unit.body.tier,
    nonce: String((BigInt(unit.body.unit) << 32n) + BigInt(counter)),
    digest: sha256Hex(new TextEncoder().encode(`share ${counter}`)),
  }
  return {
    network: 'practice',
    share: signObject('share', body, rig),
    unitId: unit.id,
    deviceId: 'cpu0',
    difficulty: 5n,
    macs,
    factorMilli,
    creditMacs: creditMacs(macs, factorMilli),
    energy: { joules: 40, certainty: 'estimated', measuredShare: 0, source: 'TDP 65 W × load' },
  }
}

export function makeJob(id: string, kind: LedgerJob['kind'] = 'chat'): LedgerJob {
  return {
    id,
    kind,
    origin: 'person',
    network: 'practice',
    modelName: `A ${kind} model`,
    modelId: `${kind}-model`,
    modelHash: 'ab'.repeat(32),
    input: EncodedInput.of(
      kind === 'chat'
        ? { kind, messages: [{ role: 'user', content: 'Why is the sky blue?' }], maxTokens: 20 }
        : { kind: 'embed', texts: ['one', 'two'] },
    ),
  }
}

export function makeResult(id: string, kind: LedgerJob['kind'] = 'chat'): JobResultRecord {
  const hash = '12'.repeat(32)
  const sizes: JobSizes =
    kind === 'chat' ? { kind, promptTokens: 12, generatedTokens: 20 } : { kind: 'embed', tokensPerText: [3, 4] }
  const body: JobResult = {
    network: network.publicKeyHex,
    rig: rig.publicKeyHex,
    job: id,
    kind,
    model: 'ab'.repeat(32),
    inputHash: hash,
    outputHash: hash,
    evidenceHash: hash,
    milliseconds: 812,
  }
  return {
    result: signObject('job-result', body, rig),
    output: kind === 'chat' ? 'It scatters blue light.' : [[0.5], [0.25]],
    evidence:
      kind === 'chat'
        ? { kind, promptTokenIds: [1], tokenIds: [2], topLogProbabilities: [[[2, -0.1]]], finish: 'stop' }
        : { kind: 'embed', vectorsSha256: hash },
    sizes,
    epoch: 7,
    deviceId: 'cpu0',
    milliseconds: 812,
    macs: 4_000_000_001n,
    factorMilli: 1500n,
    creditMacs: creditMacs(4_000_000_001n, 1500n),
    energy: { joules: 9, certainty: 'measured', measuredShare: 1, source: 'RAPL package counter' },
  }
}

export function makeReceipt(record: ShareRecord | JobResultRecord, change: Partial<Receipt> = {}): Signed<Receipt> {
  const isShare = 'share' in record
  return signObject(
    'receipt',
    {
      network: network.publicKeyHex,
      rig: rig.publicKeyHex,
      epoch: isShare ? record.share.body.epoch : record.epoch,
      kind: isShare ? 'share' : 'job',
      ref: isShare ? record.share.id : record.result.id,
      macs: String(record.macs),
      factorMilli: String(record.factorMilli),
      creditMacs: String(record.creditMacs),
      verification: 'recomputed',
      acceptedAt: START,
      ...change,
    },
    network,
  )
}

/** Many rows at once, past the ledger's functions but through its triggers: for tests of pages and plans. */
export function fillShares(
  file: string,
  count: number,
  { unitId, millisecondsBetween, after = 0 }: { unitId: string; millisecondsBetween: number; after?: number },
): void {
  const db = new Database(file)
  const series = `WITH RECURSIVE series (n) AS (SELECT ${after + 1} UNION ALL SELECT n + 1 FROM series WHERE n < ${after + count})`
  // Spread, so that digests do not begin alike.
  const digest = "printf('%08x%056x', n * 2654435761 % 4294967296, n)"
  const at = `cast(${START} + (n - 1) * ${millisecondsBetween} AS INTEGER)`
  db.pragma('synchronous = OFF')
  db.function(
    'uuid7',
    { deterministic: false },
    (n) => `019a0000-0000-7000-8000-${Number(n).toString(16).padStart(12, '0')}`,
  )
  db.transaction(() => {
    db.exec(`${series} INSERT INTO work (id, at, kind, network, epoch, model, device, origin, state, state_at, macs, factor_milli, credit_macs)
      SELECT uuid7(n), ${at}, 'proof', 'practice', 7, iif(n % 3 = 0, 'itp1-small', 'itp1-base'), iif(n % 10 = 0, 'gpu0', 'cpu0'), 'network',
        'submitted', ${at}, n, 1000, n FROM series`)
    db.exec(
      `${series} INSERT INTO shares (work, unit, nonce, digest, difficulty, signed) SELECT n, '${unitId}', n, ${digest}, '5', '{}' FROM series`,
    )
    db.exec(`${series} INSERT INTO credits (id, at, network, rig, epoch, device, work, kind, work_kind, ref, macs, factor_milli, credit_macs, state, seal, seal_version)
      SELECT uuid7(n), ${at}, 'practice', ${digest}, 7, 'cpu0', n, 'share', 'proof', printf('%064x', n), n, 1000, n, 'submitted', ${digest}, 2 FROM series`)
  })()
  db.close()
}
