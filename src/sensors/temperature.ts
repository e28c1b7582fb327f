/** The processor's temperature from Linux's hwmon or thermal zones. Other systems give none without an administrator's rights. */
import { join } from 'node:path'
import { LARGEST_PLAUSIBLE_CELSIUS } from '#shared/ipc/sensors'
import { listFolder, readNumber, readText } from './read'

const PROCESSOR_CHIPS = ['coretemp', 'k10temp', 'zenpower', 'cpu_thermal', 'soc_thermal']
const PROCESSOR_ZONES = ['x86_pkg_temp', 'cpu-thermal', 'cpu_thermal', 'soc-thermal', 'soc_thermal']
/** Sensors of the whole package, before those of single cores. Tdie is the real one where Tctl carries an offset. */
const LABELS_BY_TRUST = [/^Package id \d+$/, /^Tdie$/, /^Tctl$/, /^Tccd\d+$/, /^Core \d+$/]

/** °C of the hottest package; undefined where unknown or not plausible (at or below 0, above 120). */
export async function readCpuTemperature(sysRoot: string): Promise<number | undefined> {
  return (await fromHwmon(join(sysRoot, 'class/hwmon'))) ?? (await fromThermalZones(join(sysRoot, 'class/thermal')))
}

/** Converts millidegrees to °C; undefined when not plausible. */
export function plausibleCelsius(millidegrees: number | undefined): number | undefined {
  if (millidegrees === undefined) return undefined
  const celsius = millidegrees / 1000
  return celsius > 0 && celsius <= LARGEST_PLAUSIBLE_CELSIUS ? celsius : undefined
}

/** Every sensor of a graphics processor that sleeps or is lost reads this: all nine bits set. */
const NO_ANSWER = 511
/** No card takes more. */
const LARGEST_PLAUSIBLE_WATTS = 2000

/** A GPU's watts when plausible: above 0, at most 2000, and of a device whose temperature shows that it answers. */
export function plausibleWatts(watts: number | undefined, degrees: number | undefined): number | undefined {
  if (watts === undefined || degrees === NO_ANSWER) return undefined
  return watts > 0 && watts <= LARGEST_PLAUSIBLE_WATTS ? watts : undefined
}

async function fromHwmon(root: string): Promise<number | undefined> {
  const readings: { trust: number; celsius: number }[] = []
  for (const chip of await listFolder(root)) {
    const folder = join(root, chip)
    if (!PROCESSOR_CHIPS.includes((await readText(join(folder, 'name'))) ?? '')) continue
    for (const file of await listFolder(folder)) {
      const channel = /^(temp\d+)_input$/.exec(file)?.[1]
      if (!channel) continue
      const celsius = plausibleCelsius(await readNumber(join(folder, file)))
      if (celsius === undefined) continue
      const label = (await readText(join(folder, `${channel}_label`))) ?? ''
      const place = LABELS_BY_TRUST.findIndex((pattern) => pattern.test(label))
      readings.push({ trust: place < 0 ? LABELS_BY_TRUST.length : place, celsius })
    }
  }
  const best = Math.min(...readings.map(({ trust }) => trust))
  return hottest(readings.filter(({ trust }) => trust === best).map(({ celsius }) => celsius))
}

async function fromThermalZones(root: string): Promise<number | undefined> {
  const readings: number[] = []
  for (const zone of await listFolder(root)) {
    if (!zone.startsWith('thermal_zone')) continue
    if (!PROCESSOR_ZONES.includes((await readText(join(root, zone, 'type'))) ?? '')) continue
    const celsius = plausibleCelsius(await readNumber(join(root, zone, 'temp')))
    if (celsius !== undefined) readings.push(celsius)
  }
  return hottest(readings)
}

function hottest(celsius: number[]): number | undefined {
  return celsius.length > 0 ? Math.max(...celsius) : undefined
}
