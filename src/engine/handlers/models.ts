import type { Handlers } from '#shared/contract/index'
import { Failure } from '#shared/domain/errors'
import type { EngineContext } from '../context'

export function modelHandlers({
  models,
  ledger,
}: EngineContext): Pick<Handlers, 'models.list' | 'models.add' | 'models.remove' | 'models.verify'> {
  return {
    'models.list': async () => models.list(),
    'models.add': async ({ folder }) => models.add(folder),
    'models.remove': async ({ id }) => {
      const waiting = ledger.openJobs().filter((job) => job.modelId === id && job.origin === 'person').length
      // Without its model a job would wait for ever.
      if (waiting > 0) {
        throw new Failure(
          'conflict',
          `${waiting} ${waiting === 1 ? 'job waits' : 'jobs wait'} for this model`,
          'Wait until it is done, or cancel it on the Jobs screen.',
        )
      }
      await models.remove(id)
      return null
    },
    'models.verify': async () => models.verify(),
  }
}
