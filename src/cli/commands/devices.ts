import type { Device, PowerLimit } from '#shared/contract/devices'
import { Failure } from '#shared/domain/errors'
import { inEnglish, message } from '#shared/domain/messages'
import type { CommandContext } from '../command-context'
import { withSession } from '../session'

export interface DevicesOptions {
  device?: string
  /** watts; off: as the device has it */
  powerLimit?: number | 'off'
}

/** `lode devices`: shows them; with `--power-limit` sets that of one. */
export async function devices({ output, dataDir }: CommandContext, options: DevicesOptions): Promise<void> {
  const { device: id, powerLimit: wanted } = options
  if ((id === undefined) !== (wanted === undefined)) throw new Failure('wrong-usage', message('options-power-limit'))
  await withSession(dataDir, async ({ client }) => {
    if (id !== undefined && wanted !== undefined)
      await client.call('devices.configure', { id, powerLimitWatts: wanted === 'off' ? null : wanted })
    const found = await client.call('devices.list', null)
    output.answer(
      found.map((device) => {
        const { id, kind, name, backends, memoryBytes, canMine, reason, powerLimit } = device
        const { watts, wattsCertainty, wattsSource, energyFrom, temperatureCelsius } = device
        return {
          id,
          kind,
          name,
          backends,
          memoryBytes,
          canMine,
          ...(reason === undefined ? {} : { reason: inEnglish.text(reason) }),
          watts,
          wattsCertainty,
          wattsSource,
          energyFrom,
          temperatureCelsius,
          ...(powerLimit === null ? {} : { powerLimit }),
        }
      }),
      found.flatMap((device) => [
        `${device.id}  ${device.name}: ${device.canMine ? `can mine with ${device.backends.join(', ')}${device.detail.backendUses ? ` (${device.detail.backendUses})` : ''}` : device.reason === undefined ? 'cannot mine' : inEnglish.text(device.reason)}`,
        `  ${sensorWords(device)}`,
        ...(device.powerLimit === null ? [] : [`  Power limit: ${limitWords(device.powerLimit)}`]),
      ]),
    )
  })
}

/** Each figure with its qualifier: measured, estimated or not available. */
function sensorWords({ watts, wattsCertainty, wattsSource, energyFrom, temperatureCelsius }: Device): string {
  const power =
    watts === null
      ? `Power not available (${wattsSource})`
      : `${watts.toPrecision(3)} W ${wattsCertainty ?? ''} (${wattsSource})`
  const energy =
    energyFrom === null
      ? 'energy not available'
      : energyFrom === 'counter'
        ? 'energy measured by its counter'
        : `energy ${wattsCertainty ?? ''} from its power`
  const heat =
    temperatureCelsius === null ? 'temperature not available' : `${Math.round(temperatureCelsius)} °C measured`
  return `${power}; ${energy}; ${heat}`
}

function limitWords({ currentWatts, minimumWatts, maximumWatts, wantedWatts }: PowerLimit): string {
  const range = `${currentWatts} W now, from ${minimumWatts} to ${maximumWatts} W`
  return wantedWatts === null ? range : `${range}; ${wantedWatts} W while mining`
}

/** `lode devices retry ID` */
export async function devicesRetry({ output, dataDir }: CommandContext, _options: unknown, id: string): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const device = await client.call('devices.retry', { id })
    const { state, canMine } = device
    const reason = device.reason === undefined ? undefined : inEnglish.text(device.reason)
    output.answer(
      { id, state, canMine, ...(reason === undefined ? {} : { reason }) },
      reason === undefined ? `${device.name} is tried again.` : `${device.name}: ${reason}`,
    )
  })
}
