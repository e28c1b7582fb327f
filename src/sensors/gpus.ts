/** Graphics processors as the system lists them. */
import type { SensorInventory } from '#shared/ipc/sensors'
import { readLinuxDrivers, type LinuxDriver } from './linux-gpu-drivers'
import { fullPciAddress } from './pci-address'
import { within } from './read'
import { graphicsController, type GraphicsController, type SensorSystem } from './system'

export type GpuInventory = SensorInventory['gpus'][number]
export interface FoundGpu {
  inventory: GpuInventory
  /** 0000:01:00.0, where the system gives one */
  pciAddress?: string
}

const LIBRARY_DEADLINE_MILLISECONDS = 8000
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

/** Sorts by address; processors without an address come last, by name. */
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
 * The memory size from the maker's tool or driver. Without those, the library gives the size of the PCI window on Linux,
 * which is not the memory: then the size is absent.
 */
function memoryOf(
  controller: GraphicsController,
  driver: LinuxDriver | undefined,
  platform: NodeJS.Platform,
): number | undefined {
  if (controller.memoryTotal) return controller.memoryTotal * MEBIBYTE
  if (driver?.memoryBytes) return driver.memoryBytes
  if (platform === 'linux' || sharesMemory(controller) || !controller.vram) return undefined
  return controller.vram * MEBIBYTE
}

/** Whether the graphics processor uses the computer's main memory. */
function sharesMemory({ vendor, model, vramDynamic }: GraphicsController): boolean {
  if (vramDynamic || /apple/i.test(vendor)) return true
  if (/intel/i.test(vendor)) return !/\bArc\b.*\b[AB]\d{3}\b|\bDG[12]\b/i.test(model)
  return (
    /amd|advanced micro|\bati\b/i.test(vendor) && /Radeon(\(TM\))? (Vega \d+ )?Graphics|Radeon \d{3}M\b/i.test(model)
  )
}
