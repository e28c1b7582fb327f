/** Asks the running workers of drivers' devices: for their sensors, and for their power limits. */
import { PeerUnavailable } from '#process/peer'
import type { WorkerMethods } from '#shared/ipc/worker'

export type DriverMethod = 'driver.sensors' | 'driver.powerLimit' | 'driver.setPowerLimit'

export type AskDriver = <M extends DriverMethod>(
  method: M,
  params: WorkerMethods[M]['params'],
) => Promise<WorkerMethods[M]['result']>

export interface DriverChannel {
  /** A device loop says how its worker is asked; until `detach`. */
  attach(deviceId: string, ask: AskDriver): void
  detach(deviceId: string): void
  /** Rejects with PeerUnavailable where no worker runs. */
  ask<M extends DriverMethod>(
    deviceId: string,
    method: M,
    params: WorkerMethods[M]['params'],
  ): Promise<WorkerMethods[M]['result']>
  /** those attached */
  deviceIds(): string[]
}

export function createDriverChannel(): DriverChannel {
  const attached = new Map<string, AskDriver>()
  return {
    attach: (deviceId, ask) => void attached.set(deviceId, ask),
    detach: (deviceId) => void attached.delete(deviceId),
    ask: async (deviceId, method, params) => {
      const ask = attached.get(deviceId)
      if (ask === undefined) throw new PeerUnavailable(`${deviceId} has no worker now`, false)
      return ask(method, params)
    },
    deviceIds: () => [...attached.keys()],
  }
}
