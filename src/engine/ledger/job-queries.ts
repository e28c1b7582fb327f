/** One job or share in detail, and the jobs that wait. */
import type { WorkDetail } from '#shared/contract/jobs'
import { EncodedInput } from '#shared/domain/encoded-input'
import { jobEvidence, jobInput, jobKind, jobOutput, jobSizes } from '#shared/domain/job'
import type { ElectricityPrice } from '#shared/domain/electricity'
import type { JobState } from '#shared/domain/states'
import type { Db } from './database'
import type { LedgerReader, OpenJob } from './types'
import { toWorkRow, type WorkRecord } from './work-page'

type DetailRecord = WorkRecord & {
  model_id: string | null
  model_hash: string | null
  started_at: bigint | null
  ended_at: bigint | null
  sizes: string | null
  input: string | null
  output: string | null
  evidence: string | null
  nonce: string | null
  digest: string | null
  difficulty: string | null
  credit_id: string | null
}
type OpenRecord = WorkRecord & { model_id: string; model_hash: string; attempts: bigint }

export function readJobs(
  db: Db,
  electricity?: () => ElectricityPrice,
): Pick<LedgerReader, 'workDetail' | 'openJobs' | 'jobInput'> {
  const detail = db.prepare<[string], DetailRecord>(
    `SELECT work.*, jobs.model_id, jobs.model_hash, jobs.started_at, jobs.ended_at, jobs.sizes, job_inputs.input, job_outputs.output,
       job_evidence.evidence, shares.nonce, shares.digest, shares.difficulty, credits.id AS credit_id
     FROM work LEFT JOIN jobs ON jobs.work = work.seq LEFT JOIN job_inputs ON job_inputs.work = work.seq
       LEFT JOIN job_outputs ON job_outputs.work = work.seq LEFT JOIN job_evidence ON job_evidence.work = work.seq
       LEFT JOIN shares ON shares.work = work.seq LEFT JOIN credits ON credits.work = work.seq
     WHERE work.id = ?`,
  )
  const path = db.prepare<[bigint], { state: JobState; at: bigint }>(
    'SELECT state, at FROM work_path WHERE work = ? ORDER BY ordinal',
  )
  const open = db.prepare<[], OpenRecord>(
    `SELECT work.*, jobs.model_id, jobs.model_hash, jobs.attempts FROM work JOIN jobs ON jobs.work = work.seq
     WHERE work.state IN ('queued', 'running', 'interrupted') ORDER BY work.seq`,
  )
  const input = db.prepare<[string], { input: string }>(
    'SELECT job_inputs.input FROM job_inputs JOIN work ON work.seq = job_inputs.work WHERE work.id = ?',
  )
  return {
    workDetail(id) {
      const row = detail.get(id)
      return row === undefined ? null : toJobDetail(row, path.all(row.seq), electricity?.())
    },
    openJobs() {
      return open.all().map(toOpenJob)
    },
    jobInput(id) {
      const row = input.get(id)
      return row === undefined ? null : (EncodedInput.tryOf(jobInput.parse(JSON.parse(row.input))) ?? null)
    },
  }
}

function toJobDetail(
  row: DetailRecord,
  path: { state: JobState; at: bigint }[],
  price: ElectricityPrice | undefined,
): WorkDetail {
  const isProof = row.kind === 'proof'
  const parsed = <T>(text: string | null, schema: { parse(value: unknown): T }): T | null =>
    text === null ? null : schema.parse(JSON.parse(text))
  return {
    ...toWorkRow(row, price),
    modelId: row.model_id,
    modelHash: row.model_hash,
    startedAt: timeOf(
      isProof && row.milliseconds !== null ? row.at - BigInt(Math.round(row.milliseconds)) : row.started_at,
    ),
    endedAt: timeOf(isProof ? row.at : row.ended_at),
    factorMilli: row.factor_milli === null ? null : String(row.factor_milli),
    sizes: parsed(row.sizes, jobSizes),
    input: parsed(row.input, jobInput),
    output: parsed(row.output, jobOutput),
    evidence: parsed(row.evidence, jobEvidence),
    creditId: row.credit_id,
    digest: row.digest,
    nonce: row.nonce,
    difficulty: row.difficulty,
    energy:
      row.joules === null || row.joules_certainty === null
        ? { source: 'not known' }
        : {
            joules: row.joules,
            certainty: row.joules_certainty,
            measuredShare: row.joules_measured_share ?? 0,
            source: row.joules_source ?? row.joules_certainty,
          },
    path: path.map(({ state, at }) => ({ state, at: Number(at) })),
  }
}

function toOpenJob(row: OpenRecord): OpenJob {
  return {
    id: row.id,
    kind: jobKind.parse(row.kind),
    origin: row.origin,
    network: row.network,
    modelName: row.model,
    modelId: row.model_id,
    modelHash: row.model_hash,
    at: Number(row.at),
    state: row.state,
    deviceId: row.device,
    attempts: Number(row.attempts),
  }
}

function timeOf(value: bigint | null): number | null {
  return value === null ? null : Number(value)
}
