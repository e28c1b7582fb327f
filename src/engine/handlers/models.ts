import type { Handlers } from '#shared/contract/index'
import type { modelProcedures } from '#shared/contract/models'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { EngineContext } from '../context'

export function modelHandlers({
  models,
  library,
  downloads,
  ledger,
  addUpload,
}: EngineContext): Pick<Handlers, keyof typeof modelProcedures> {
  return {
    'models.list': async () => library.installed(),
    'models.catalogue': async (params) => library.available(params?.context ?? null),
    'models.get': async ({ id, anyway = false }) => library.get(id, anyway),
    'models.pause': async ({ id }) => downloads.pause(id),
    'models.cancel': async ({ id }) => {
      await library.cancel(id)
      return null
    },
    'models.downloads': async () => downloads.list(),
    'models.add': async (given) => ('path' in given ? models.add(given.path) : addUpload(given.upload)),
    'models.remove': async ({ id }) => {
      const waiting = ledger.openJobs().filter((job) => job.modelId === id && job.origin === 'person').length
      // Without its model a job would wait forever.
      if (waiting > 0) {
        throw new Failure('conflict', message('model-has-waiting-jobs', { jobs: waiting }))
      }
      await library.remove(id)
      return null
    },
    'models.verify': async () => models.verify(),
    'models.gc': async ({ quotaBytes, dryRun }) => library.collect(quotaBytes, dryRun),
  }
}
