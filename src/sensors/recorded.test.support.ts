/** Recorded /proc, /sys and command outputs for the tests: real files in a folder of their own, laid out like a machine's. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { realSystem, type SensorSystem, type SystemLibrary } from './system'

export interface RecordedMachine {
  system: SensorSystem
  /** changes or adds a file below the machine's root, e.g. `sys/class/…` */
  write(path: string, text: string): void
  remove(): void
  /** how often each command was started */
  commands: string[]
  clock: { milliseconds: number }
  times: { busyMilliseconds: number; totalMilliseconds: number }
}

export function recordMachine(
  files: Readonly<Record<string, string>>,
  overrides: Partial<SensorSystem> & {
    controllers?: unknown[]
    outputs?: Readonly<Record<string, string>>
    library?: () => Promise<SystemLibrary>
  } = {},
): RecordedMachine {
  const root = mkdtempSync(join(tmpdir(), 'lode-sensors-'))
  const write = (path: string, text: string): void => {
    const full = join(root, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  const { controllers = [], outputs = {}, ...rest } = overrides
  const clock = { milliseconds: 0 }
  const times = { busyMilliseconds: 0, totalMilliseconds: 0 }
  const commands: string[] = []
  const real = realSystem()
  const system: SensorSystem = {
    platform: 'linux',
    procRoot: join(root, 'proc'),
    sysRoot: join(root, 'sys'),
    run: (command) => {
      commands.push(command)
      const output = outputs[command]
      return output === undefined ? Promise.reject(new Error(`no ${command}`)) : Promise.resolve(output)
    },
    follow: real.follow,
    userId: () => 0,
    library: () =>
      Promise.resolve({
        cpu: () => Promise.resolve({ manufacturer: '', brand: '', vendor: '', physicalCores: 0, flags: '' }),
        graphics: () => Promise.resolve({ controllers }),
        battery: () => Promise.resolve({ hasBattery: false, acConnected: true }),
      }),
    cpuTimes: () => ({ ...times }),
    cpuModel: () => '',
    availableCores: () => 8,
    memoryBytes: () => 16 * 1024 ** 3,
    monotonic: () => clock.milliseconds,
    ...rest,
  }
  return { system, write, remove: () => rmSync(root, { recursive: true, force: true }), commands, clock, times }
}

/** /proc/cpuinfo of a processor with `cores` cores of `threads` threads each, with the fields that the kernel writes. */
export function cpuinfo(options: {
  vendor: string
  name: string
  cores: number
  threads: number
  flags: string
}): string {
  const blocks: string[] = []
  for (let processor = 0; processor < options.cores * options.threads; processor++) {
    blocks.push(
      [
        `processor\t: ${processor}`,
        `vendor_id\t: ${options.vendor}`,
        'cpu family\t: 25',
        `model name\t: ${options.name}`,
        'physical id\t: 0',
        `siblings\t: ${options.cores * options.threads}`,
        `core id\t\t: ${processor % options.cores}`,
        `cpu cores\t: ${options.cores}`,
        `flags\t\t: ${options.flags}`,
        'power management: ts ttp tm hwpstate',
      ].join('\n'),
    )
  }
  return `${blocks.join('\n\n')}\n\n`
}
