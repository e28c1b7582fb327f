import type { Handlers } from '#shared/contract/index'
import type { EngineContext } from '../context'

export function modelHandlers({
  models,
}: EngineContext): Pick<Handlers, 'models.list' | 'models.add' | 'models.remove' | 'models.verify'> {
  return {
    'models.list': async () => models.list(),
    'models.add': async ({ folder }) => models.add(folder),
    'models.remove': async ({ id }) => {
      await models.remove(id)
      return null
    },
    'models.verify': async () => models.verify(),
  }
}
