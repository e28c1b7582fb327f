/** The sources that the sensors read: file roots, commands, the library and Node's values. They are injected, so that tests use recorded ones. */
import { execFile, spawn } from 'node:child_process'
import os from 'node:os'
import { createInterface } from 'node:readline'
import { z } from 'zod'

export interface CpuTimes {
  busyMilliseconds: number
  totalMilliseconds: number
}

/** One entry of the library's list. A field that a system omits, or gives in another type, becomes empty. */
export const graphicsController = z.object({
  vendor: z.string().trim().catch(''),
  model: z.string().trim().catch(''),
  name: z.string().trim().optional().catch(undefined),
  busAddress: z.string().trim().optional().catch(undefined),
  vramDynamic: z.boolean().catch(false),
  /** MiB */
  vram: z.number().nullable().catch(null),
  /** MiB, from the maker's own tool */
  memoryTotal: z.number().optional().catch(undefined),
  driverVersion: z.string().trim().optional().catch(undefined),
})
export type GraphicsController = z.infer<typeof graphicsController>

/** The functions of systeminformation that the sensors use. */
export interface SystemLibrary {
  cpu(): Promise<{ manufacturer: string; brand: string; vendor: string; physicalCores: number; flags: string }>
  graphics(): Promise<{ controllers: unknown[] }>
  battery(): Promise<{ hasBattery: boolean; acConnected: boolean }>
}

export interface CommandEnd {
  /** null: a signal ended the command, or it could not be started */
  code: number | null
  /** what the command wrote to standard error, or why it could not be started */
  error: string
}

export interface FollowedCommand {
  ended: Promise<CommandEnd>
  /** Reads no more of the command's output: whatever its rights, it ends at its next line. */
  stop(): void
}

export interface SensorSystem {
  platform: NodeJS.Platform
  /** the folders that Linux mounts at /proc and /sys */
  procRoot: string
  sysRoot: string
  /** Standard output of a command. Rejects when it cannot be started, fails or takes longer than `timeoutMilliseconds`. */
  run(command: string, parameters: string[], timeoutMilliseconds: number): Promise<string>
  /** Starts a command that keeps printing. Never throws: a command that cannot be started has ended at once. */
  follow(command: string, parameters: string[], onLine: (line: string) => void): FollowedCommand
  /** 0: the administrator; undefined where a system has no such numbers */
  userId(): number | undefined
  library(): Promise<SystemLibrary>
  /** summed over all cores since the computer started */
  cpuTimes(): CpuTimes
  cpuModel(): string
  /** logical cores that this process may use: fewer than there are under an affinity mask or a container's quota */
  availableCores(): number
  /** memory of the machine, or the limit of the container */
  memoryBytes(): number
  /** monotonic milliseconds */
  monotonic(): number
}

export function realSystem(): SensorSystem {
  return {
    platform: process.platform,
    procRoot: '/proc',
    sysRoot: '/sys',
    run: (command, parameters, timeoutMilliseconds) =>
      new Promise((resolve, reject) => {
        const options = {
          timeout: timeoutMilliseconds,
          windowsHide: true,
          maxBuffer: 4 * 1024 * 1024,
          env: { ...process.env, LC_ALL: 'C' },
        }
        execFile(command, parameters, options, (error, stdout) => (error ? reject(error) : resolve(stdout)))
      }),
    follow,
    userId: () => process.getuid?.(),
    library: async () => (await import('systeminformation')).default,
    cpuTimes: () => {
      let busyMilliseconds = 0
      let totalMilliseconds = 0
      for (const { times } of os.cpus()) {
        const busy = times.user + times.nice + times.sys + times.irq
        busyMilliseconds += busy
        totalMilliseconds += busy + times.idle
      }
      return { busyMilliseconds, totalMilliseconds }
    },
    cpuModel: () => os.cpus()[0]?.model ?? '',
    availableCores: () => os.availableParallelism(),
    memoryBytes: () => {
      const limit = process.constrainedMemory()
      return limit > 0 && limit < os.totalmem() ? limit : os.totalmem()
    },
    monotonic: () => performance.now(),
  }
}

const MOST_ERROR_CHARACTERS = 2000

function follow(command: string, parameters: string[], onLine: (line: string) => void): FollowedCommand {
  const child = spawn(command, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    env: { ...process.env, LC_ALL: 'C' },
  })
  let errorText = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(0, MOST_ERROR_CHARACTERS)
  })
  createInterface({ input: child.stdout }).on('line', onLine)
  return {
    ended: new Promise((resolve) => {
      child.once('error', (error) => resolve({ code: null, error: error.message }))
      child.once('close', (code) => resolve({ code, error: errorText.trim() }))
    }),
    stop: () => {
      child.stdout.destroy()
      child.kill()
    },
  }
}
