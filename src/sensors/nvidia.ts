/** Power, temperature and load of NVIDIA's graphics processors from nvidia-smi, which gives no energy counter. */
import { fullPciAddress } from './pci-address'
import { within } from './read'
import type { SensorSystem } from './system'
import { plausibleCelsius, plausibleWatts } from './temperature'

export interface NvidiaReading {
  /** 0000:01:00.0 */
  pciAddress: string
  powerWatts?: number | undefined
  temperatureCelsius?: number | undefined
  utilization?: number | undefined
}

const COMMAND_DEADLINE_MILLISECONDS = 3000
const QUERY = '--query-gpu=pci.bus_id,power.draw,temperature.gpu,utilization.gpu'

/** Readings from nvidia-smi; an empty list where it does not exist or does not answer in time. */
export async function askNvidia(system: SensorSystem): Promise<NvidiaReading[]> {
  const asked = system.run('nvidia-smi', [QUERY, '--format=csv,noheader,nounits'], COMMAND_DEADLINE_MILLISECONDS)
  const text = (await within(asked, COMMAND_DEADLINE_MILLISECONDS)) ?? ''
  return text.split('\n').flatMap((line) => {
    const [address, power, temperature, utilization] = line.split(',').map((cell) => cell.trim())
    const pciAddress = fullPciAddress(address)
    if (!pciAddress) return []
    const percent = figure(utilization)
    const degrees = figure(temperature)
    return [
      {
        pciAddress,
        powerWatts: plausibleWatts(figure(power), degrees),
        temperatureCelsius: degrees === undefined ? undefined : plausibleCelsius(degrees * 1000),
        utilization: percent === undefined || percent > 100 ? undefined : percent / 100,
      },
    ]
  })
}

/** "[N/A]", "[Not Supported]" and "[Unknown Error]" are no figures. */
function figure(text: string | undefined): number | undefined {
  return text && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
}
