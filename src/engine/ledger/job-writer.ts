/** Useful jobs on their way to a result: each state is written before it is acted on. */
import { Failure } from '#shared/domain/errors'
import { message, storedMessage } from '#shared/domain/messages'
import { jobEvidence, jobOutput } from '#shared/domain/job'
import { storedJobResult, storedShare } from '#shared/protocol/stored'
import { FINAL_JOB_STATES, JOB_TRANSITIONS, type JobState } from '#shared/domain/states'
import { type Db, write } from './database'
import { energyColumns } from './work-columns'
import type { Ledger, Recovery, WriterContext } from './types'

type Jobs = Pick<Ledger, 'insertJob' | 'setJobState' | 'recover'>

interface CurrentJob {
  seq: bigint
  state: JobState
  device: string | null
}
interface SubmittedShare {
  work_id: string
  credit_id: string
  device: string
  signed: string
}
type SubmittedResult = SubmittedShare & { output: string; evidence: string }

export function writeJobs(db: Db, { clock }: WriterContext): Jobs {
  const insertWork = db.prepare<[string, number, string, string, string, string, number]>(
    `INSERT INTO work (id, at, kind, network, model, origin, state, state_at) VALUES (?, ?, ?, ?, ?, ?, 'queued', ?)`,
  )
  const insertJob = db.prepare<[bigint, string, string]>(
    'INSERT INTO jobs (work, model_id, model_hash) VALUES (?, ?, ?)',
  )
  const insertInput = db.prepare<[bigint, string]>('INSERT INTO job_inputs (work, input) VALUES (?, ?)')
  const current = db.prepare<[string], CurrentJob>(
    "SELECT seq, state, device FROM work WHERE id = ? AND kind <> 'proof'",
  )
  const move = db.prepare<[string, number, string | null, string | null, bigint]>(
    'UPDATE work SET state = ?, state_at = ?, device = ?, reason = ? WHERE seq = ?',
  )
  const setEnergy = db.prepare<[number, string, number, string | null, bigint]>(
    'UPDATE work SET joules = ?, joules_certainty = ?, joules_measured_share = ?, joules_source = ? WHERE seq = ?',
  )
  const begin = db.prepare<[number, bigint]>(
    'UPDATE jobs SET started_at = ?, ended_at = NULL, attempts = attempts + 1 WHERE work = ?',
  )
  const end = db.prepare<[number, bigint]>('UPDATE jobs SET ended_at = ? WHERE work = ?')
  const setOutput = db.prepare<[bigint, string]>(
    'INSERT INTO job_outputs (work, output) VALUES (?, ?) ON CONFLICT DO UPDATE SET output = excluded.output',
  )
  const running = db.prepare<[], { id: string }>("SELECT id FROM work WHERE state = 'running' ORDER BY seq")
  const submittedShares = db.prepare<[], SubmittedShare>(
    `SELECT work.id AS work_id, credits.id AS credit_id, credits.device, shares.signed
     FROM work JOIN shares ON shares.work = work.seq JOIN credits ON credits.work = work.seq
     WHERE work.state = 'submitted' ORDER BY work.seq`,
  )
  const submittedResults = db.prepare<[], SubmittedResult>(
    `SELECT work.id AS work_id, credits.id AS credit_id, credits.device, jobs.signed, job_outputs.output, job_evidence.evidence
     FROM work JOIN jobs ON jobs.work = work.seq JOIN credits ON credits.work = work.seq
       JOIN job_outputs ON job_outputs.work = work.seq JOIN job_evidence ON job_evidence.work = work.seq
     WHERE work.state = 'submitted' ORDER BY work.seq`,
  )
  const held = db
    .prepare<[], string>(
      "SELECT credits.ref FROM work JOIN credits ON credits.work = work.seq WHERE work.state = 'held' ORDER BY work.seq",
    )
    .pluck()

  const setJobState: Jobs['setJobState'] = (id, state, details = {}) =>
    write(db, () => {
      const job = current.get(id)
      if (job === undefined) throw new Failure('not-found', message('ledger-no-job', { job: id }))
      if (!JOB_TRANSITIONS[job.state].includes(state)) {
        throw new Failure('conflict', message('ledger-job-state', { job: id, state: job.state, wanted: state }))
      }
      const now = clock.now()
      const device = state === 'queued' ? null : (details.deviceId ?? job.device)
      move.run(state, now, device, details.reason === undefined ? null : storedMessage(details.reason), job.seq)
      if (state === 'running') begin.run(now, job.seq)
      if (FINAL_JOB_STATES.includes(state)) end.run(now, job.seq)
      if (details.energy !== undefined) setEnergy.run(...energyColumns(details.energy), job.seq)
      if (details.output !== undefined) setOutput.run(job.seq, JSON.stringify(details.output))
    })

  return {
    insertJob(job) {
      write(db, () => {
        const now = clock.now()
        const inserted = insertWork.run(job.id, now, job.kind, job.network, job.modelName, job.origin, now)
        const seq = BigInt(inserted.lastInsertRowid)
        insertJob.run(seq, job.modelId, job.modelHash)
        insertInput.run(seq, job.input.text)
      })
    },
    setJobState,
    recover(): Recovery {
      return write(db, () => {
        const interruptedJobIds = running.all().map(({ id }) => id)
        for (const id of interruptedJobIds) setJobState(id, 'interrupted', { reason: message('job-lode-stopped') })
        return {
          interruptedJobIds,
          shares: submittedShares.all().map((row) => ({
            workId: row.work_id,
            creditId: row.credit_id,
            deviceId: row.device,
            share: storedShare.parse(JSON.parse(row.signed)),
          })),
          results: submittedResults.all().map((row) => ({
            jobId: row.work_id,
            creditId: row.credit_id,
            deviceId: row.device,
            delivery: {
              result: storedJobResult.parse(JSON.parse(row.signed)),
              output: jobOutput.parse(JSON.parse(row.output)),
              evidence: jobEvidence.parse(JSON.parse(row.evidence)),
            },
          })),
          held: held.all(),
        }
      })
    },
  }
}
