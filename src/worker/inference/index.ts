/** Useful jobs on a device: the worker's one entry, which dispatches by kind. The code of a kind is loaded when it is first needed. */
import { z } from 'zod'
import { modelCard } from '#shared/domain/card'
import { describeParseError, Failure } from '#shared/domain/errors'
import { jobInput, type JobRun } from '#shared/domain/job'
import type { ModelLocation, WorkerMethods } from '#shared/ipc/worker'
import { guardMemory } from './model-cache'

export interface JobContext {
  threads: number
  signal: AbortSignal
  /** Chat only: a piece of the answer, whole characters, with the index of the newest token that it contains. */
  onToken(text: string, index: number): void
  /** Chat only: nominal MACs that a run of the graph computed for this job. Called synchronously for all jobs of the run. */
  onComputed?(macs: number): void
}

const modelLocation = z.object({ card: modelCard, folder: z.string().min(1) })
const jobParameters = z.object({ jobId: z.string(), input: jobInput, model: modelLocation })

/**
 * Runs one job to its end. Rejects with a Failure: `cancelled` when the signal fires, `invalid-input` for an input that
 * the model cannot take, `model-refused` for a model folder that cannot be used, `out-of-memory` when memory ran out.
 */
export async function runJob(params: WorkerMethods['job.run']['params'], context: JobContext): Promise<JobRun> {
  const { input, model } = parse(jobParameters, params)
  if (input.kind !== model.card.kind) {
    throw new Failure(
      'invalid-input',
      `${model.card.name} is a model for ${model.card.kind}, not for ${input.kind}`,
      `Choose a model for ${input.kind}.`,
    )
  }
  if (context.signal.aborted) throw new Failure('cancelled', 'the job was cancelled')
  return guardMemory(model.card.name, async () => {
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
  model: ModelLocation,
  context: { threads: number },
): Promise<WorkerMethods['model.probe']['result']> {
  const location = parse(modelLocation, model)
  switch (location.card.kind) {
    case 'chat':
      return (await import('./chat/index')).probeChat(location, context)
    case 'embed':
      return (await import('./embed/index')).probeEmbed(location, context)
    case 'ocr':
      return (await import('./ocr/index')).probeOcr(location, context)
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new Failure('invalid-input', `the job is not understood: ${describeParseError(parsed.error)}`)
  return parsed.data
}
