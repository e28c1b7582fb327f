import type { Device } from '#shared/contract/devices'
import type { Params } from '#shared/contract/index'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure, useStore } from '../../data/store'

export type DeviceChange = Omit<Params<'devices.configure'>, 'id'>

/** Saves a device's setting and keeps the list current; a refusal is shown above the screen. */
export function configureDevice(id: string, change: DeviceChange): Promise<void> {
  return client
    .call('devices.configure', { id, ...change })
    .then(replaceDevice, (error: unknown) => reportFailure(asFailure(error)))
}

/** Closes the circuit of a faulted device, or ends its quarantine. */
export function retryDevice(id: string): void {
  client.call('devices.retry', { id }).then(replaceDevice, (error: unknown) => reportFailure(asFailure(error)))
}

function replaceDevice(device: Device): void {
  useStore.setState((state) => ({
    devices: state.devices?.map((one) => (one.id === device.id ? device : one)) ?? null,
  }))
}
