/** The contract, answered. Every procedure has its handler here, or this does not compile. */
import type { Handlers } from '#shared/contract/index'
import type { EngineContext } from '../context'
import { deviceHandlers } from './devices'
import { driverHandlers } from './drivers'
import { earningsHandlers } from './earnings'
import { engineHandlers } from './engine'
import { jobHandlers } from './jobs'
import { modelHandlers } from './models'
import { settingsHandlers } from './settings'

export function createHandlers(context: EngineContext): Handlers {
  return {
    ...engineHandlers(context),
    ...deviceHandlers(context),
    ...driverHandlers(context),
    ...jobHandlers(context),
    ...earningsHandlers(context),
    ...settingsHandlers(context),
    ...modelHandlers(context),
  }
}
