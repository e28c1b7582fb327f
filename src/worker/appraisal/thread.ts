/**
 * The thread in which strangers' inputs and results are appraised: image headers, PDF files, tokenizers. One that takes too
 * long or too much memory is ended, and the process goes on.
 */
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { Failure, toFailureValue, type FailureValue } from '#shared/domain/errors'
import type { Appraisal } from './appraisal'
import type { AppraisalParameters } from './appraise'

export interface AppraisalLimits {
  milliseconds: number
  /** of the thread's heap; a picture's bytes lie beside it */
  megabytes: number
}
/** The longest input that a job may bring takes seconds; a tokenizer of 256,000 tokens a few hundred megabytes. */
const LIMITS: AppraisalLimits = { milliseconds: 60_000, megabytes: 1024 }
/** A thread that nobody asked for so long is ended, with its tokenizers. */
const IDLE_MILLISECONDS = 60_000

interface ThreadStart {
  serves: 'appraisals'
}
type ThreadAnswer = { appraisal: Appraisal } | { failure: FailureValue }

export interface AppraisalThread {
  /** One after another. Rejects as `appraise`; what exceeds the limits is `unappraisable`. */
  appraise(params: AppraisalParameters): Promise<Appraisal>
}

/** `program`: the file whose thread calls `serveAppraisals`. The thread starts with the first call. */
export function createAppraisalThread(program: URL, limits: AppraisalLimits = LIMITS): AppraisalThread {
  let worker: Worker | undefined
  let idle: NodeJS.Timeout | undefined
  let previous: Promise<unknown> = Promise.resolve()

  const end = (): void => {
    void worker?.terminate()
    worker = undefined
  }
  const start = (): Worker => {
    const data: ThreadStart = { serves: 'appraisals' }
    const started = new Worker(program, {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: limits.megabytes },
    })
    // Its listeners of an appraisal hear of it too; between two of them nobody waits.
    started.on('error', () => undefined)
    started.on('exit', () => {
      if (worker === started) worker = undefined
    })
    started.unref()
    return started
  }

  const run = (params: AppraisalParameters): Promise<Appraisal> =>
    new Promise((resolve, reject) => {
      clearTimeout(idle)
      const asked = (worker ??= start())
      asked.ref()
      const settle = (work: () => void): void => {
        clearTimeout(patience)
        asked.off('message', answered)
        asked.off('error', broken)
        asked.off('exit', broken)
        asked.unref()
        idle = setTimeout(end, IDLE_MILLISECONDS)
        idle.unref()
        work()
      }
      const tooMuch = (message: string): void =>
        settle(() => {
          end()
          resolve({ state: 'unappraisable', message })
        })
      const patience = setTimeout(() => {
        tooMuch(`Checking it took longer than ${limits.milliseconds / 1000} s.`)
      }, limits.milliseconds)
      const answered = (answer: ThreadAnswer): void =>
        settle(() => {
          if ('appraisal' in answer) resolve(answer.appraisal)
          else reject(Failure.from(answer.failure))
        })
      const broken = (): void => tooMuch('Checking it took more memory than it may.')
      asked.on('message', answered)
      asked.on('error', broken)
      asked.on('exit', broken)
      asked.postMessage(params)
    })

  return {
    appraise: (params) => {
      const own = previous.then(() => run(params))
      previous = own.catch(() => undefined)
      return own
    },
  }
}

/** Whether this thread was started by `createAppraisalThread`. */
export function isAppraisalThread(): boolean {
  return (workerData as Partial<ThreadStart> | null)?.serves === 'appraisals'
}

/** Serves the thread that started this one. */
export function serveAppraisals(): void {
  const port = parentPort
  if (!port) throw new Error('the worker program starts threads, not a person')
  const loaded = import('./appraise').then(({ createAppraising }) => createAppraising())
  port.on('message', (params: AppraisalParameters) => {
    void loaded
      .then((appraising) => appraising.appraise(params))
      .then(
        (appraisal): ThreadAnswer => ({ appraisal }),
        (error: unknown): ThreadAnswer => ({ failure: toFailureValue(error) }),
      )
      .then((answer) => port.postMessage(answer))
  })
}
