/** The devices of this rig: those of each provider, with the person's settings. Their work is in device-loop/. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { SettingsStore } from '../base'
import type { DeviceDescriptor } from './describe'
import type { Machine } from './machine'
import type { DeviceDriving, DeviceProvider } from './provider'

export interface DeviceRegistry {
  list(): DeviceDescriptor[]
  /** Throws Failure `not-found`. */
  find(id: string): DeviceDescriptor
  /** How a device is driven. Throws Failure `not-found`. */
  driving(id: string): DeviceDriving
  /** Settles when the processor's backends are known; the first call begins to try every device. */
  ready(): Promise<void>
  /** Settles when every device was tried. */
  settled(): Promise<void>
  /** Reads the inventory of the machine again. */
  refresh(): Promise<void>
}

export interface DeviceRegistryOptions {
  machine: Machine
  /** providers whose devices are listed after the machine's own */
  others: readonly DeviceProvider[]
  settings: SettingsStore
}

export function createDeviceRegistry({ machine, others, settings }: DeviceRegistryOptions): DeviceRegistry {
  const providers: readonly DeviceProvider[] = [machine, ...others]
  const list = (): DeviceDescriptor[] =>
    providers.flatMap((provider) => provider.devices(settings.devices, machine.inventory.memoryBytes))
  const notFound = (id: string): Failure => {
    const known = list().map((device) => device.id)
    return new Failure('not-found', message('device-not-found', { device: id, known }))
  }
  const settled = async (): Promise<void> => {
    await Promise.all(providers.map((provider) => provider.settled()))
  }
  return {
    list,
    find: (id) => {
      const found = list().find((device) => device.id === id)
      if (!found) throw notFound(id)
      return found
    },
    driving: (id) => {
      for (const provider of providers) {
        const driving = provider.driving(id)
        if (driving !== null) return driving
      }
      throw notFound(id)
    },
    ready: () => {
      void settled()
      return machine.ready()
    },
    settled,
    refresh: () => machine.refresh(),
  }
}
