/** What the files of ledger and practice network say, read beside the engine that writes them. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface StoredShare {
  device: string
  /** of the work */
  state: string
  verification: string | null
  reason: string | null
  credit: string | null
  receipt: string | null
  /** receipts of the network for this nonce */
  networkReceipts: number
}

/** Every share with this digest (64 hex digits). */
export function sharesWithDigest(dataDir: string, digest: string): StoredShare[] {
  const ledger = open(dataDir, 'ledger.db')
  const network = open(dataDir, 'network.db')
  try {
    const shares = ledger
      .prepare(
        `SELECT work.device, work.state, work.verification, work.reason, credits.state AS credit, credits.receipt, shares.nonce
         FROM shares JOIN work ON work.seq = shares.work LEFT JOIN credits ON credits.work = work.seq WHERE shares.digest = ?`,
      )
      .all(digest) as unknown as (Omit<StoredShare, 'networkReceipts'> & { nonce: string })[]
    const receipts = network.prepare('SELECT count(*) AS count FROM shares WHERE nonce = ?')
    return shares.map(({ nonce, ...share }) => ({
      ...share,
      networkReceipts: Number(receipts.get(BigInt.asIntN(64, BigInt(nonce)))?.['count']),
    }))
  } finally {
    ledger.close()
    network.close()
  }
}

/** MACs that count for each device, by its id. */
export function creditOfDevices(dataDir: string): Map<string, bigint> {
  const ledger = open(dataDir, 'ledger.db')
  try {
    const sums = ledger.prepare(
      `SELECT device, sum(credit_macs) AS sum FROM credits WHERE state IN ('accepted', 'confirmed', 'paid') GROUP BY device`,
    )
    sums.setReadBigInts(true)
    return new Map((sums.all() as unknown as { device: string; sum: bigint }[]).map(({ device, sum }) => [device, sum]))
  } finally {
    ledger.close()
  }
}

function open(dataDir: string, name: string): DatabaseSync {
  return new DatabaseSync(join(dataDir, name), { readOnly: true })
}
