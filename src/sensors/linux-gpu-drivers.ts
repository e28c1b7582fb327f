/** What Linux' graphics drivers write in sysfs: amdgpu gives watts, Intel's i915 and xe count joules, nouveau gives heat. */
import { join } from 'node:path'
import { fullPciAddress } from './pci-address'
import { listFolder, readNumber, readText } from './read'
import type { SensorSystem } from './system'
import { plausibleCelsius } from './temperature'

export interface LinuxDriver {
  /** 0000:01:00.0 */
  pciAddress: string
  name?: string | undefined
  memoryBytes?: number | undefined
  powerWatts?: number | undefined
  /** since the driver was loaded: starts at zero when it is loaded again */
  counterJoules?: number | undefined
  temperatureCelsius?: number | undefined
  utilization?: number | undefined
}

/** Readings of the graphics processors on PCI; an empty list on other systems. Never rejects. */
export async function readLinuxDrivers(system: SensorSystem): Promise<LinuxDriver[]> {
  if (system.platform !== 'linux') return []
  const root = join(system.sysRoot, 'class/drm')
  const cards = (await listFolder(root)).filter((name) => /^card\d+$/.test(name))
  const readings = await Promise.all(cards.map((card) => readLinuxDriver(join(root, card, 'device'))))
  return readings.filter((reading) => reading !== undefined)
}

async function readLinuxDriver(folder: string): Promise<LinuxDriver | undefined> {
  const uevent = await readText(join(folder, 'uevent'))
  const pciAddress = fullPciAddress(/^PCI_SLOT_NAME=(.*)$/m.exec(uevent ?? '')?.[1])
  if (!pciAddress) return undefined
  const monitor = await findMonitor(join(folder, 'hwmon'))
  const read = async (...files: string[]): Promise<number | undefined> => {
    if (monitor === undefined) return undefined
    for (const file of files) {
      const value = await readNumber(join(monitor, file))
      if (value !== undefined) return value
    }
    return undefined
  }
  const microwatts = await read('power1_average', 'power1_input')
  // xe's first counter is of the whole card. Where that is missing, the second one, of the chip, is used.
  const microjoules = await read('energy1_input', 'energy2_input')
  const percent = await readNumber(join(folder, 'gpu_busy_percent'))
  return {
    pciAddress,
    name: /^DRIVER=(.*)$/m.exec(uevent ?? '')?.[1],
    memoryBytes: await readNumber(join(folder, 'mem_info_vram_total')),
    powerWatts: microwatts && microwatts > 0 ? microwatts / 1e6 : undefined,
    counterJoules: microjoules === undefined || microjoules < 0 ? undefined : microjoules / 1e6,
    temperatureCelsius: plausibleCelsius(await read('temp1_input', 'temp2_input')),
    utilization: percent === undefined || percent > 100 ? undefined : percent / 100,
  }
}

/** The hwmon folder of the whole device. i915 has further folders for parts of it, such as "i915_gt0". */
async function findMonitor(root: string): Promise<string | undefined> {
  for (const monitor of await listFolder(root)) {
    const folder = join(root, monitor)
    if (!/_gt\d+$/.test((await readText(join(folder, 'name'))) ?? '')) return folder
  }
  return undefined
}
