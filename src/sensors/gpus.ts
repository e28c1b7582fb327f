/** Graphics processors as the system lists them, with what their drivers say about power, heat and load. */
import { basename, join } from 'node:path'
import type { SensorInventory, SensorReading } from '#shared/domain/worker-protocol'
import { askAmd, type AmdReading } from './amd'
import { listFolder, readNumber, readText, within } from './read'
import { graphicsController, type GraphicsController, type SensorSystem } from './system'
import { plausibleCelsius } from './temperature'

export type GpuInventory = SensorInventory['gpus'][number]
export type GpuReading = SensorReading['gpus'][number]
export interface FoundGpu {
  inventory: GpuInventory
  /** 0000:01:00.0, where the system gives one */
  pciAddress?: string
}

const LIBRARY_DEADLINE_MILLISECONDS = 8000
const COMMAND_DEADLINE_MILLISECONDS = 3000
const MEBIBYTE = 1024 * 1024

/** Every graphics processor, gpu0, gpu1 … in the order of their PCI addresses, so that ids stay the same over restarts. */
export async function findGpus(system: SensorSystem): Promise<FoundGpu[]> {
  const asked = system.library().then((library) => library.graphics())
  const listed = (await within(asked, LIBRARY_DEADLINE_MILLISECONDS))?.controllers ?? []
  const controllers = listed.flatMap((entry) => graphicsController.safeParse(entry).data ?? [])
  const drivers = await readLinuxDrivers(system)
  return controllers
    .map((controller) => ({ controller, pciAddress: fullPciAddress(controller.busAddress) }))
    .sort((left, right) => sortKey(left).localeCompare(sortKey(right), 'en'))
    .map(({ controller, pciAddress }, index) => {
      const driver = drivers.find((entry) => entry.pciAddress === pciAddress)
      const memoryBytes = memoryOf(controller, driver, system.platform)
      const inventory: GpuInventory = {
        id: `gpu${index}`,
        name: controller.name || controller.model || 'Unknown graphics processor',
        vendor: controller.vendor,
        shared: sharesMemory(controller),
        ...(memoryBytes ? { memoryBytes } : {}),
        ...(controller.driverVersion
          ? { driver: controller.driverVersion }
          : driver?.name
            ? { driver: driver.name }
            : {}),
      }
      return pciAddress ? { inventory, pciAddress } : { inventory }
    })
}

/** Power, heat and load of those GPUs whose drivers tell: NVIDIA by its own tool, amdgpu by sysfs or else AMD's tools. */
export async function readGpus(system: SensorSystem, gpus: readonly FoundGpu[]): Promise<GpuReading[]> {
  if (gpus.length === 0) return []
  const nvidia = gpus.some(({ inventory }) => /nvidia/i.test(inventory.vendor)) ? await askNvidia(system) : []
  const drivers = await readLinuxDrivers(system)
  const isUntold = ({ inventory, pciAddress }: FoundGpu): boolean =>
    /amd|advanced micro|\bati\b/i.test(inventory.vendor) &&
    drivers.every((entry) => entry.pciAddress !== pciAddress || entry.powerWatts === undefined)
  const amd = gpus.some(isUntold) ? (await askAmd(system)).map(withAddress) : []
  return gpus.map(({ inventory, pciAddress }) => {
    const found = [...nvidia, ...amd, ...drivers].find(
      (entry) => pciAddress !== undefined && entry.pciAddress === pciAddress,
    )
    return {
      id: inventory.id,
      ...(found?.powerWatts === undefined ? {} : { powerWatts: found.powerWatts }),
      ...(found?.temperatureCelsius === undefined ? {} : { temperatureCelsius: found.temperatureCelsius }),
      ...(found?.utilization === undefined ? {} : { utilization: found.utilization }),
    }
  })
}

function withAddress({ busAddress, ...reading }: AmdReading): DriverReading {
  return { pciAddress: fullPciAddress(busAddress), ...reading }
}

interface DriverReading {
  pciAddress: string | undefined
  name?: string | undefined
  memoryBytes?: number | undefined
  powerWatts?: number | undefined
  temperatureCelsius?: number | undefined
  utilization?: number | undefined
}

/** "01:00.0", "0000:01:00.0" and "00000000:01:00.0" are the same address. */
function fullPciAddress(address: string | undefined): string | undefined {
  const match = /^(?:([0-9a-f]+):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])$/i.exec(address?.trim() ?? '')
  return match ? `${(match[1] ?? '').slice(-4).padStart(4, '0')}:${match[2] ?? ''}`.toLowerCase() : undefined
}

/** Without an address after those with one, by name. */
function sortKey({
  controller,
  pciAddress,
}: {
  controller: GraphicsController
  pciAddress: string | undefined
}): string {
  return `${pciAddress ?? 'zzzz'} ${controller.vendor} ${controller.model}`
}

/**
 * The maker's own tool or driver where there is one. On Linux the library otherwise gives the size of the PCI window, not
 * of the memory: then it is absent.
 */
function memoryOf(
  controller: GraphicsController,
  driver: DriverReading | undefined,
  platform: NodeJS.Platform,
): number | undefined {
  if (controller.memoryTotal) return controller.memoryTotal * MEBIBYTE
  if (driver?.memoryBytes) return driver.memoryBytes
  if (platform === 'linux' || sharesMemory(controller) || !controller.vram) return undefined
  return controller.vram * MEBIBYTE
}

/** Whether it computes in the computer's main memory. */
function sharesMemory({ vendor, model, vramDynamic }: GraphicsController): boolean {
  if (vramDynamic || /apple/i.test(vendor)) return true
  if (/intel/i.test(vendor)) return !/\bArc\b.*\b[AB]\d{3}\b|\bDG[12]\b/i.test(model)
  return (
    /amd|advanced micro|\bati\b/i.test(vendor) && /Radeon(\(TM\))? (Vega \d+ )?Graphics|Radeon \d{3}M\b/i.test(model)
  )
}

async function askNvidia(system: SensorSystem): Promise<DriverReading[]> {
  const query = '--query-gpu=pci.bus_id,power.draw,temperature.gpu,utilization.gpu'
  const asked = system.run('nvidia-smi', [query, '--format=csv,noheader,nounits'], COMMAND_DEADLINE_MILLISECONDS)
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
        powerWatts: figure(power),
        temperatureCelsius: degrees === undefined ? undefined : plausibleCelsius(degrees * 1000),
        utilization: percent === undefined ? undefined : percent / 100,
      },
    ]
  })
}

/** "[N/A]" and "[Not Supported]" are no figures. */
function figure(text: string | undefined): number | undefined {
  return text && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
}

async function readLinuxDrivers(system: SensorSystem): Promise<DriverReading[]> {
  if (system.platform !== 'linux') return []
  const root = join(system.sysRoot, 'class/drm')
  const cards = (await listFolder(root)).filter((name) => /^card\d+$/.test(name))
  const readings = await Promise.all(cards.map((card) => readLinuxDriver(join(root, card, 'device'))))
  return readings.filter((reading) => reading !== undefined)
}

async function readLinuxDriver(folder: string): Promise<DriverReading | undefined> {
  const uevent = await readText(join(folder, 'uevent'))
  const pciAddress = fullPciAddress(/^PCI_SLOT_NAME=(.*)$/m.exec(uevent ?? '')?.[1])
  if (!pciAddress) return undefined
  const [monitor] = await listFolder(join(folder, 'hwmon'))
  const hwmon = join(folder, 'hwmon', basename(monitor ?? 'hwmon0'))
  const microwatts =
    (await readNumber(join(hwmon, 'power1_average'))) ?? (await readNumber(join(hwmon, 'power1_input')))
  const percent = await readNumber(join(folder, 'gpu_busy_percent'))
  return {
    pciAddress,
    name: /^DRIVER=(.*)$/m.exec(uevent ?? '')?.[1],
    memoryBytes: await readNumber(join(folder, 'mem_info_vram_total')),
    powerWatts: microwatts && microwatts > 0 ? microwatts / 1e6 : undefined,
    temperatureCelsius: plausibleCelsius(await readNumber(join(hwmon, 'temp1_input'))),
    utilization: percent === undefined ? undefined : percent / 100,
  }
}
