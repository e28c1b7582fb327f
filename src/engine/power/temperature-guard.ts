/** Stops a device that is too hot and resumes it once it is well below the limit, so that it does not switch on and off at the limit. */
import { HYSTERESIS_CELSIUS } from '#shared/domain/heat'
import { message, type Message } from '#shared/domain/messages'

const DEFAULT_LIMIT_CELSIUS: Readonly<Record<string, number>> = { cpu: 95, gpu: 87 }
const OTHER_LIMIT_CELSIUS = 90

/** The limit in °C of a kind of device until the person sets another. */
export function defaultTemperatureLimit(kind: string): number {
  return DEFAULT_LIMIT_CELSIUS[kind] ?? OTHER_LIMIT_CELSIUS
}

export interface TemperatureGuard {
  /**
   * The reason to show while the device must rest, null while it may work. An unknown temperature changes nothing: it
   * neither stops a device nor lets a stopped one go on.
   */
  look(celsius: number | null, limitCelsius: number): Message | null
}

export function createTemperatureGuard(): TemperatureGuard {
  let hotCelsius: number | null = null
  return {
    look: (celsius, limitCelsius) => {
      const resumeCelsius = limitCelsius - HYSTERESIS_CELSIUS
      if (celsius !== null) {
        if (celsius >= limitCelsius) hotCelsius = celsius
        else if (celsius < resumeCelsius) hotCelsius = null
        else if (hotCelsius !== null) hotCelsius = celsius
      }
      if (hotCelsius === null) return null
      return message('device-too-hot', { celsius: Math.round(hotCelsius), resumeCelsius })
    },
  }
}
