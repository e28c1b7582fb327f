/** Useful jobs on a device: the worker's one entry, which dispatches by kind. The code of a kind is loaded when it is first needed. */
import type { z } from 'zod'
import { describeParseError, Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { jobInput, type JobRun } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { WorkerMethods } from '#shared/ipc/worker'
import { guardMemory } from './model-cache'

export interface JobContext {
  threads: number
  signal: AbortSignal
  /** Chat only: a piece of the answer, whole characters, with the index of the newest token that it contains. */
  onToken(text: string, index: number): void
  /** Chat only: nominal MACs that a run of the graph computed for this job. Called synchronously for all jobs of the run. */
  onComputed?(macs: number): void
}

export interface JobParameters {
  jobId: string
  /** what the engine sent: parsed here, and nowhere else in this process */
  input: unknown
  model: InstalledModel
}

/**
 * Runs one job to its end. Rejects with a Failure: `cancelled` when the signal fires, `invalid-input` for an input that
 * the model cannot take, `model-refused` for a model folder that cannot be used, `out-of-memory` when memory ran out.
 */
export async function runJob(params: JobParameters, context: JobContext): Promise<JobRun> {
  const { model } = params
  const input = parse(jobInput, params.input)
  if (input.kind !== model.manifest.kind) {
    throw new Failure(
      'invalid-input',
      message('job-model-kind', { model: model.manifest.name, kind: model.manifest.kind, wanted: input.kind }),
    )
  }
  if (context.signal.aborted) throw new Failure('cancelled', message('job-was-cancelled'))
  return guardMemory(model.manifest.name, async () => {
    switch (input.kind) {
      case 'chat':
        return (await import('./chat/index')).runChat(input, model, context)
      case 'embed':
        return (await import('./embed/index')).runEmbed(input, model, context)
      case 'ocr':
        return (await import('./ocr/index')).runOcr(input, model, context)
    }
  })
}

/** Loads the model anew, runs it once, counts its MACs from its graph, and disposes it. Rejects with `model-refused`. */
export async function probeModel(
  model: InstalledModel,
  context: { threads: number },
): Promise<WorkerMethods['model.probe']['result']> {
  switch (model.manifest.kind) {
    case 'chat':
      return (await import('./chat/index')).probeChat(model, context)
    case 'embed':
      return (await import('./embed/index')).probeEmbed(model, context)
    case 'ocr':
      return (await import('./ocr/index')).probeOcr(model, context)
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new Failure('invalid-input', message('job-not-understood', { fault: describeParseError(parsed.error) }))
  return parsed.data
}
