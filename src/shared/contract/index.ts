/** Every procedure and event that a screen or the command line may use. Handlers and tests iterate over these two maps. */
import type { z } from 'zod'
import { deviceEvents, deviceProcedures } from './devices'
import { driverEvents, driverProcedures } from './drivers'
import { earningsEvents, earningsProcedures } from './earnings'
import { engineEvents, engineProcedures } from './engine'
import { jobEvents, jobProcedures } from './jobs'
import { modelEvents, modelProcedures } from './models'
import { settingsEvents, settingsProcedures } from './settings'

export const procedures = {
  ...engineProcedures,
  ...deviceProcedures,
  ...driverProcedures,
  ...jobProcedures,
  ...earningsProcedures,
  ...settingsProcedures,
  ...modelProcedures,
}
export const events = {
  ...engineEvents,
  ...deviceEvents,
  ...driverEvents,
  ...jobEvents,
  ...earningsEvents,
  ...settingsEvents,
  ...modelEvents,
}

export type Procedures = typeof procedures
export type MethodName = keyof Procedures
export type Params<M extends MethodName> = z.infer<Procedures[M]['input']>
export type Result<M extends MethodName> = z.infer<Procedures[M]['output']>
export type Events = typeof events
export type EventName = keyof Events
export type EventData<E extends EventName> = z.infer<Events[E]>

/** The handlers of the engine: one asynchronous function for each procedure. A failure is thrown as `Failure`. */
export type Handlers = { [M in MethodName]: (params: Params<M>) => Promise<Result<M>> }
