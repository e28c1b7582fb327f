/** The processor's real name, cores and instruction sets. */
import { join } from 'node:path'
import type { SensorInventory } from '#shared/ipc/sensors'
import { fromLinuxFlags, fromSysctl } from './instruction-sets'
import { listFolder, readText, within } from './read'
import type { SensorSystem } from './system'

export type CpuInventory = SensorInventory['cpu']

const LIBRARY_DEADLINE_MILLISECONDS = 8000
const COMMAND_DEADLINE_MILLISECONDS = 3000

/**
 * Asks the operating system, and the library for fields that the system does not give. Never fails: an unknown name is
 * "Unknown processor". `logicalCores` are the cores that Lode may use; `physicalCores` is never more than that.
 */
export async function readCpu(system: SensorSystem): Promise<CpuInventory> {
  const logicalCores = Math.max(1, system.availableCores())
  const own =
    system.platform === 'linux'
      ? await fromCpuinfo(system)
      : system.platform === 'darwin'
        ? await fromMacos(system)
        : {}
  const fromLibrary = own.name && own.physicalCores ? undefined : await askLibrary(system)
  const physicalCores = own.physicalCores ?? fromLibrary?.physicalCores ?? logicalCores
  return {
    name: own.name ?? fromLibrary?.name ?? (system.cpuModel().trim() || 'Unknown processor'),
    vendor: vendorName(own.vendor ?? fromLibrary?.vendor ?? ''),
    physicalCores: Math.min(Math.max(1, physicalCores), logicalCores),
    logicalCores,
    instructionSets: own.instructionSets ?? [],
    ...(own.virtualMachine === undefined ? {} : { virtualMachine: own.virtualMachine }),
  }
}

type Known = Partial<CpuInventory>

async function fromCpuinfo(system: SensorSystem): Promise<Known> {
  const text = await readText(join(system.procRoot, 'cpuinfo'))
  if (!text) return {}
  const processors = text.split(/\n\s*\n/).map(parseFields)
  const first = processors.find((fields) => fields.has('flags') || fields.has('Features')) ?? processors[0]
  if (!first) return {}
  const places = processors.flatMap((fields) => {
    const core = fields.get('core id')
    return core === undefined ? [] : [`${fields.get('physical id') ?? '0'}/${core}`]
  })
  const physicalCores = places.length > 0 ? new Set(places).size : await countCoresInSysfs(system)
  const name = first.get('model name')
  const flags = first.get('flags') ?? first.get('Features') ?? ''
  return {
    ...(name && !/^(unknown|-|ARMv\d.*)$/i.test(name) ? { name } : {}),
    ...(first.get('vendor_id') ? { vendor: first.get('vendor_id') } : {}),
    ...(physicalCores ? { physicalCores } : {}),
    instructionSets: fromLinuxFlags(flags),
    virtualMachine: /(^|\s)hypervisor(\s|$)/.test(flags),
  }
}

async function countCoresInSysfs(system: SensorSystem): Promise<number | undefined> {
  const folder = join(system.sysRoot, 'devices/system/cpu')
  const cores = new Set<string>()
  for (const name of await listFolder(folder)) {
    if (!/^cpu\d+$/.test(name)) continue
    const core = await readText(join(folder, name, 'topology/core_id'))
    if (core !== undefined) cores.add(`${await readText(join(folder, name, 'topology/physical_package_id'))}/${core}`)
  }
  return cores.size > 0 ? cores.size : undefined
}

async function fromMacos(system: SensorSystem): Promise<Known> {
  const text = await within(
    system.run('/usr/sbin/sysctl', ['hw', 'machdep.cpu'], COMMAND_DEADLINE_MILLISECONDS),
    COMMAND_DEADLINE_MILLISECONDS,
  )
  if (!text) return {}
  const values = parseFields(text)
  const name = values.get('machdep.cpu.brand_string')
  const physicalCores = Number(values.get('hw.physicalcpu'))
  return {
    ...(name ? { name } : {}),
    vendor: values.get('machdep.cpu.vendor') ?? (name?.startsWith('Apple') ? 'Apple' : ''),
    ...(physicalCores > 0 ? { physicalCores } : {}),
    instructionSets: fromSysctl(values),
  }
}

async function askLibrary(system: SensorSystem): Promise<Known> {
  const asked = system.library().then((library) => library.cpu())
  const found = await within(asked, LIBRARY_DEADLINE_MILLISECONDS)
  if (!found) return {}
  const name = `${found.manufacturer} ${found.brand}`.trim()
  return {
    ...(name ? { name } : {}),
    vendor: found.vendor || found.manufacturer,
    ...(found.physicalCores > 0 ? { physicalCores: found.physicalCores } : {}),
  }
}

/** Lines of "name : value" or "name: value". */
function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim())
  }
  return fields
}

function vendorName(vendor: string): string {
  if (/intel/i.test(vendor)) return 'Intel'
  if (/amd|advanced micro/i.test(vendor)) return 'AMD'
  if (/apple/i.test(vendor)) return 'Apple'
  return vendor
}
