/** The computer's own devices: its processor and its graphics processors, and which backends work on each. */
import type { SensorInventory } from '#shared/ipc/sensors'
import { inEnglish, message, type Message, readStoredMessage, storedMessage } from '#shared/domain/messages'
import { createSignal, type RigContext, type SettingsStore, type Signal } from '../base'
import { createBackendSurvey, type BackendSurveyOptions } from './backends'
import { describeDevices, type DeviceDescriptor } from './describe'
import type { DeviceFault, DeviceProvider } from './provider'

export interface Machine extends DeviceProvider {
  readonly inventory: SensorInventory
  /** Settles when the processor's backends are known; the first call starts the trial. Until then the list has the backends that work everywhere. */
  ready(): Promise<void>
  /** Reads the inventory of the machine again. */
  refresh(): Promise<void>
  /** emitted when the inventory was read again */
  readonly onRefreshed: Signal<SensorInventory>
  /** emitted when a trial has found what a device can do */
  readonly onFound: Signal
  /** emitted when a device was quarantined, is to be opened in another way, or is to be tried again */
  readonly onChange: Signal
}

export interface MachineOptions {
  inventory: SensorInventory
  readInventory: () => Promise<SensorInventory>
  settings: SettingsStore
  /** whether the native backend gave the right digests on this machine; never rejects */
  nativeWorks: () => Promise<boolean>
  /** what works on an adapter; never rejects */
  gpuBackends: BackendSurveyOptions['gpuBackends']
}

export function createMachine(
  rig: Pick<RigContext, 'host' | 'log' | 'ledger' | 'clock'>,
  options: MachineOptions,
): Machine {
  const { settings } = options
  const { log, ledger, clock } = rig
  let inventory = options.inventory
  const onRefreshed = createSignal<SensorInventory>()
  const onFound = createSignal()
  const onChange = createSignal()
  /** by device: UTC ms of its last change. Shares found before say nothing about how the device computes now. */
  const changedAt = new Map<string, number>()

  const graphicsDriverOf = (id: string): string => inventory.gpus.find((gpu) => gpu.id === id)?.driver ?? ''
  const survey = createBackendSurvey({
    inventory: () => inventory,
    nativeWorks: options.nativeWorks,
    gpuBackends: options.gpuBackends,
    mayUseMatrixUnits: (id) => settings.device(id).matrixUnitsFailedUnder !== graphicsDriverOf(id),
    onFound: () => onFound.emit(),
  })

  const described = (): DeviceDescriptor[] => describeDevices(inventory, settings.devices, survey.cpu, survey.gpus)
  const withState = (found: DeviceDescriptor): DeviceDescriptor => {
    if (survey.underWay.has(found.id)) return { ...found, reason: message('device-being-tried') }
    const { quarantine } = settings.device(found.id)
    if (quarantine === undefined) return found
    return {
      ...found,
      canMine: false,
      quarantined: true,
      reason: message('quarantined-because', { reason: readStoredMessage(quarantine) }),
    }
  }

  const record = (severity: 'warning' | 'error', words: Message): void => {
    log.warn(inEnglish.text(words), {})
    ledger.recordEvent({ severity, words })
  }
  const quarantineOrDowngrade = (id: string, reason: Message, usesMatrixUnits: boolean): 'quarantined' | 'reopened' => {
    changedAt.set(id, clock.now())
    if (usesMatrixUnits) {
      // The matrix units failed: the device uses its vector units, also after a restart, as long as it has this graphics driver.
      survey.dropMatrixUnits(id)
      settings.changeDevice(id, { matrixUnitsFailedUnder: graphicsDriverOf(id) })
      record('warning', message('matrix-units-dropped', { device: id, reason }))
      onChange.emit()
      return 'reopened'
    }
    settings.changeDevice(id, { quarantine: storedMessage(reason) })
    record('error', message('device-quarantined', { device: id, reason }))
    onChange.emit()
    return 'quarantined'
  }
  const judge = ({ id, adapter }: DeviceDescriptor, fault: DeviceFault): 'quarantined' | 'reopened' | 'ignored' => {
    const usesMatrixUnits = adapter?.matrixUnits === true
    switch (fault.kind) {
      case 'wrong-results':
        return quarantineOrDowngrade(id, fault.reason, usesMatrixUnits)
      case 'wrong-digest': {
        const saysNothing = adapter === undefined || fault.foundAt < (changedAt.get(id) ?? 0)
        return saysNothing ? 'ignored' : quarantineOrDowngrade(id, message('device-wrong-digest'), usesMatrixUnits)
      }
      case 'stopped': {
        // A graphics processor that only refused the work may be started again in the same way.
        const isOwnDoing = adapter !== undefined && (fault.fault.code === 'driver-fault' || usesMatrixUnits)
        return isOwnDoing ? quarantineOrDowngrade(id, fault.fault.words, usesMatrixUnits) : 'ignored'
      }
    }
  }

  return {
    get inventory() {
      return inventory
    },
    onRefreshed,
    onFound,
    onChange,
    devices: () => described().map(withState),
    ready: survey.ready,
    settled: survey.settled,
    refresh: async () => {
      inventory = await options.readInventory()
      await survey.probeGpus()
      onRefreshed.emit(inventory)
    },
    driving: (deviceId) => {
      const device = described().find(({ id }) => id === deviceId)
      if (device === undefined) return null
      return {
        workerStart: device.adapter === undefined ? {} : { gpu: device.adapter },
        host: rig.host,
        runsJobs: device.kind === 'cpu',
        powerLimit: null,
        judge: (fault) => judge(device, fault),
        retry: async () => {
          settings.changeDevice(deviceId, { quarantine: undefined })
          onChange.emit()
        },
      }
    },
  }
}
