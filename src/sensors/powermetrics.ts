/**
 * Power of a Mac's processor, graphics and Neural Engine from Apple's powermetrics. The tool needs the administrator's
 * rights, or a rule of sudo that lets it run without a password; Lode never asks for one. One process prints sample after
 * sample: starting a process for each would cost more power than the sample measures.
 */
import type { CommandEnd, FollowedCommand, SensorSystem } from './system'

export interface PowermetricsReading {
  /** of the CPU cores on Apple silicon, of the whole package on Intel: mean over the tool's last sample */
  cpuWatts: number
  /** since the first sample */
  cpuJoules: number
  /** what `cpuWatts` measures, for people to read */
  source: string
  /** Apple silicon's GPU and Neural Engine, which CoreML uses both; absent on Intel */
  gpu?: { watts: number; joules: number; utilization?: number }
}

export interface Powermetrics {
  /** The last sample; undefined before the first and when the last is old. Starts the tool where that is permitted. */
  latest(): PowermetricsReading | undefined
  /** Why there is no reading, for people to read; undefined: there is a reading, or the first one is expected. */
  missing(): string | undefined
  /** Tries the tool again from now on, also where it was refused. */
  retry(): void
  stop(): void
}

export const POWERMETRICS = '/usr/bin/powermetrics'
const SUDO = '/usr/bin/sudo'
/** A sample a second, a line at a time, for an hour and then a new process: one that lost its reader does not run forever. */
const PARAMETERS = ['--samplers', 'cpu_power,gpu_power', '-i', '1000', '-n', '3600', '-b', '1']
const OLD_MILLISECONDS = 5000
/** A tool that prints nothing for longer than this hangs. */
const SILENCE_MILLISECONDS = 30_000
/** A fixed pause and not the back-off of our own processes: somebody asks every second anyway, and three failures end it. */
const PAUSE_MILLISECONDS = 10_000
const MOST_FAILURES = 3
const NOT_PERMITTED =
  "powermetrics is not permitted: it needs the administrator's rights, or a rule of sudo that lets it run without a password"

export function createPowermetrics(system: SensorSystem): Powermetrics {
  let running: FollowedCommand | undefined
  let refusal: string | undefined
  let failures = 0
  let endedAt = Number.NEGATIVE_INFINITY
  let startedAt = Number.NEGATIVE_INFINITY
  let lastAt = Number.NEGATIVE_INFINITY
  const counters = createCounters()

  const ended = ({ code, error }: CommandEnd, hasPrinted: boolean): void => {
    running = undefined
    const isItsTimeOver = code === 0 && hasPrinted
    endedAt = isItsTimeOver ? Number.NEGATIVE_INFINITY : system.monotonic()
    if (isItsTimeOver) return
    if (/superuser|^sudo:/m.test(error)) refusal = NOT_PERMITTED
    else if (/ENOENT/.test(error)) refusal = 'there is no powermetrics on this computer'
    else if (++failures >= MOST_FAILURES)
      refusal = `powermetrics ended ${failures} times${error === '' ? '' : `: ${error.split('\n').at(-1)}`}`
  }
  const start = (): void => {
    const isAdministrator = system.userId() === 0
    let hasPrinted = false
    const command = system.follow(
      isAdministrator ? POWERMETRICS : SUDO,
      isAdministrator ? PARAMETERS : ['-n', POWERMETRICS, ...PARAMETERS],
      (line) => {
        if (!counters.take(line)) return
        hasPrinted = true
        lastAt = system.monotonic()
        failures = 0
      },
    )
    running = command
    startedAt = system.monotonic()
    void command.ended.then((end) => {
      if (running === command) ended(end, hasPrinted)
    })
  }

  return {
    latest: () => {
      const now = system.monotonic()
      if (running && now - Math.max(startedAt, lastAt) > SILENCE_MILLISECONDS) {
        running.stop()
        ended({ code: null, error: `it printed nothing for ${SILENCE_MILLISECONDS / 1000} seconds` }, false)
      }
      if (!running && refusal === undefined && now - endedAt >= PAUSE_MILLISECONDS) start()
      return now - lastAt <= OLD_MILLISECONDS ? counters.reading() : undefined
    },
    missing: () => refusal,
    retry: () => {
      refusal = undefined
      failures = 0
      endedAt = Number.NEGATIVE_INFINITY
    },
    stop: () => {
      running?.stop()
      running = undefined
    },
  }
}

interface Counters {
  /** Adds the figures of a line. True: the line held a figure of the processor. */
  take(line: string): boolean
  reading(): PowermetricsReading | undefined
}

/**
 * Adds up the figures in the lines of one process. A sample begins with its length: "*** Sampled system activity (…) (1002.90ms
 * elapsed) ***"; each figure counts once in a sample, although both samplers print the GPU's.
 */
function createCounters(): Counters {
  let seconds = 0
  let isIntel = false
  const seen = new Set<string>()
  const watts = { cpu: 0, gpu: 0, ane: 0 }
  const joules = { cpu: 0, gpu: 0, ane: 0 }
  let hasCpu = false
  let hasGpu = false
  let utilization: number | undefined

  const add = (part: keyof typeof watts, value: number): boolean => {
    if (seconds === 0 || seen.has(part)) return false
    seen.add(part)
    watts[part] = value
    joules[part] += value * seconds
    if (part === 'cpu') hasCpu = true
    if (part === 'gpu') hasGpu = true
    return part === 'cpu'
  }

  return {
    take: (line) => {
      const milliseconds = /^\*\*\* Sampled system activity .*\(([\d.]+)ms elapsed\)/.exec(line)?.[1]
      if (milliseconds !== undefined) {
        seconds = Number(milliseconds) / 1000
        seen.clear()
        return false
      }
      const [, part, figure, unit] = /^(CPU|GPU|ANE) Power:\s*([\d.]+)\s*(mW|W)\s*$/.exec(line) ?? []
      if (part !== undefined)
        return add(part.toLowerCase() as keyof typeof watts, Number(figure) / (unit === 'mW' ? 1000 : 1))
      const package_ = /^Intel energy model derived package power \(CPUs\+GT\+SA\):\s*([\d.]+)\s*W/.exec(line)?.[1]
      if (package_ !== undefined) {
        isIntel = true
        return add('cpu', Number(package_))
      }
      const percent = /^GPU (?:HW )?active residency:\s*([\d.]+)%/.exec(line)?.[1]
      if (percent !== undefined) utilization = Math.min(1, Number(percent) / 100)
      return false
    },
    reading: () =>
      hasCpu
        ? {
            cpuWatts: watts.cpu,
            cpuJoules: joules.cpu,
            source: isIntel ? 'powermetrics, whole processor package' : "powermetrics, the processor's cores",
            ...(hasGpu && !isIntel
              ? {
                  gpu: {
                    watts: watts.gpu + watts.ane,
                    joules: joules.gpu + joules.ane,
                    ...(utilization === undefined ? {} : { utilization }),
                  },
                }
              : {}),
          }
        : undefined,
  }
}
