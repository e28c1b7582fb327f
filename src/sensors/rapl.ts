/**
 * The processor's energy counters (RAPL, Linux powercap): joules of all packages, counted across wrap-arounds.
 * Only package domains are added up: cores, memory and the platform are parts of a package or contain it.
 */
import { join } from 'node:path'
import { isDenied, listFolder, readNumber, readText } from './read'

export interface RaplCounter {
  /** Whether every package's counter can be read now: since 2020 most systems let only the administrator read it. */
  readable(): Promise<boolean>
  /** Joules since the first reading, all packages; undefined where one of them cannot be read. */
  readJoules(): Promise<number | undefined>
  /** Why there are no joules, for people to read; undefined: there are joules, or the processor has no counters. */
  missing(): string | undefined
}

export const RAPL_SOURCE = 'RAPL energy counter, whole processor package'
const DENIED = "the processor's energy counter (RAPL) may be read by the administrator only"

/** intel-rapl:0 is a package (AMD's too); intel-rapl:0:1 is a part of it; intel-rapl-mmio:0 is the same package again. */
const PACKAGE_FOLDER = /^intel-rapl:\d+$/

interface PackageDomain {
  folder: string
  /** the counter starts again at zero after this, in microjoules */
  rangeMicrojoules: number
  lastMicrojoules: number
}

export function createRaplCounter(sysRoot: string): RaplCounter {
  let packages: PackageDomain[] | undefined
  let countedMicrojoules = 0
  let denied = false

  return {
    readable: async () => (await findPackages(sysRoot)).length > 0,
    missing: () => (denied ? DENIED : undefined),
    readJoules: async () => {
      if (!packages || packages.length === 0) {
        packages = await findPackages(sysRoot)
        denied = packages.length === 0 && (await isAnyDenied(sysRoot))
        return packages.length > 0 ? countedMicrojoules / 1e6 : undefined
      }
      const values = await Promise.all(packages.map(({ folder }) => readNumber(join(folder, 'energy_uj'))))
      if (values.some((value) => value === undefined)) return undefined
      packages.forEach((domain, index) => {
        const value = values[index] ?? 0
        const passed = value - domain.lastMicrojoules
        countedMicrojoules += passed >= 0 ? passed : passed + domain.rangeMicrojoules
        domain.lastMicrojoules = value
      })
      return countedMicrojoules / 1e6
    },
  }
}

async function isAnyDenied(sysRoot: string): Promise<boolean> {
  const root = join(sysRoot, 'class/powercap')
  const names = (await listFolder(root)).filter((name) => PACKAGE_FOLDER.test(name))
  return (await Promise.all(names.map((name) => isDenied(join(root, name, 'energy_uj'))))).includes(true)
}

/** All package domains, or none when one of them cannot be read: a part of the machine must not count as the whole. */
async function findPackages(sysRoot: string): Promise<PackageDomain[]> {
  const root = join(sysRoot, 'class/powercap')
  const packages: PackageDomain[] = []
  for (const name of await listFolder(root)) {
    if (!PACKAGE_FOLDER.test(name)) continue
    const folder = join(root, name)
    if (!/^package-\d+(-die-\d+)?$/.test((await readText(join(folder, 'name'))) ?? '')) continue
    const lastMicrojoules = await readNumber(join(folder, 'energy_uj'))
    const rangeMicrojoules = await readNumber(join(folder, 'max_energy_range_uj'))
    if (lastMicrojoules === undefined || rangeMicrojoules === undefined || rangeMicrojoules <= 0) return []
    packages.push({ folder, rangeMicrojoules, lastMicrojoules })
  }
  return packages
}
