/** Rigs that made the network recompute a wrong digest: nothing of theirs is leased or recomputed until they say hello after a pause. */
import type { CoordinatorConfiguration } from './configuration'
import { refuse, type Refused } from './refusals'
import type { CoordinatorStore } from './store'

export interface Suspensions {
  suspend(rig: string): Promise<void>
  /** Why this rig gets and gives no work now; undefined: it may. */
  refusal(rig: string): Promise<Refused | undefined>
  /** Why a hello comes too early; undefined: it lifts the suspension. */
  helloRefusal(rig: string): Promise<Refused | undefined>
}

/** A network whose `suspensionSeconds` are 0 suspends nobody, and asks its store nothing. Rejects when the store does. */
export function createSuspensions({
  store,
  clock,
  configuration,
}: {
  store: Pick<CoordinatorStore, 'suspendRig' | 'suspendedUntil'>
  clock: { now(): number }
  configuration: Pick<CoordinatorConfiguration, 'suspensionSeconds'>
}): Suspensions {
  const milliseconds = configuration.suspensionSeconds * 1000
  const untilOf = async (rig: string): Promise<number | undefined> =>
    milliseconds === 0 ? undefined : store.suspendedUntil(rig)
  const refused = (until: number): Refused => {
    const time = new Date(until).toISOString()
    return refuse('suspended', `This rig claimed a wrong digest: it may say hello again from ${time}.`)
  }
  return {
    suspend: async (rig) => {
      if (milliseconds > 0) await store.suspendRig(rig, clock.now() + milliseconds)
    },
    refusal: async (rig) => {
      const until = await untilOf(rig)
      return until === undefined ? undefined : refused(until)
    },
    helloRefusal: async (rig) => {
      const until = await untilOf(rig)
      return until === undefined || clock.now() >= until ? undefined : refused(until)
    },
  }
}
