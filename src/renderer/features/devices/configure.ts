import type { Device } from '#shared/contract/devices'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure, useStore } from '../../data/store'

/** Saves a device's setting and keeps the list current; a refusal is shown above the screen. */
export function configureDevice(id: string, change: { enabled?: boolean; threads?: number }): Promise<void> {
  return client
    .call('devices.configure', { id, ...change })
    .then(replaceDevice, (error: unknown) => reportFailure(asFailure(error)))
}

/** Closes the circuit of a faulted device. */
export function retryDevice(id: string): void {
  client.call('devices.retry', { id }).then(replaceDevice, (error: unknown) => reportFailure(asFailure(error)))
}

function replaceDevice(device: Device): void {
  useStore.setState((state) => ({
    devices: state.devices?.map((one) => (one.id === device.id ? device : one)) ?? null,
  }))
}
