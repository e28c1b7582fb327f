/** Asks the running workers of drivers' devices: for their sensors, and for their power limits. */
import { PeerUnavailable } from '#process/peer'
import type { WorkerMethods } from '#shared/ipc/worker'
import { message } from '#shared/domain/messages'

export type DriverMethod = 'driver.sensors' | 'driver.powerLimit' | 'driver.setPowerLimit'

export type AskDriver = <M extends DriverMethod>(
  method: M,
  params: WorkerMethods[M]['params'],
) => Promise<WorkerMethods[M]['result']>

/** A driver's device that has a loop. `askDriver` rejects with PeerUnavailable where no worker runs. */
export interface DriverPeer {
  readonly deviceId: string
  askDriver: AskDriver
}

export interface DriverChannel {
  /** From now on the device is asked through this peer; until `detach`. */
  attach(peer: DriverPeer): void
  /** The device is no longer asked. */
  detach(deviceId: string): void
  /** Rejects with PeerUnavailable where no worker runs. */
  ask<M extends DriverMethod>(
    deviceId: string,
    method: M,
    params: WorkerMethods[M]['params'],
  ): Promise<WorkerMethods[M]['result']>
  /** the attached devices */
  peers(): DriverPeer[]
}

export function createDriverChannel(): DriverChannel {
  const attached = new Map<string, DriverPeer>()
  return {
    attach: (peer) => void attached.set(peer.deviceId, peer),
    detach: (deviceId) => void attached.delete(deviceId),
    ask: async (deviceId, method, params) => {
      const peer = attached.get(deviceId)
      if (peer === undefined) throw new PeerUnavailable(message('worker-missing', { device: deviceId }), false)
      return peer.askDriver(method, params)
    },
    peers: () => [...attached.values()],
  }
}
