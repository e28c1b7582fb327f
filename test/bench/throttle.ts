/**
 * `npm run bench -- throttle [SECONDS]`: what a duty cycle really costs. The whole application mines with one device; the
 * throttle is set by the command to 100, 60 and 30 % in turn, and the processor time of all of Lode's processes is read from
 * the system. Linux only.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { follow, lode, processesMentioning, root, startLode, temporaryFolder } from '../support/lode'
import { measuredOn, median, writeBenchmarkSection } from '../support/benchmark-section'

const DUTIES = [100, 60, 30] as const
type Duty = (typeof DUTIES)[number]
const ROUNDS = 3
const DEFAULT_SECONDS = 15
/** Weights, the difficulty's ramp and the first shares are over. */
const WARM_UP_MILLISECONDS = 20_000
const TICKS_PER_SECOND = 100
const LOOK_MILLISECONDS = 50
const ASIC_SIM = join(root, 'out/native/drivers/asic-sim')

interface Measured {
  device: string
  /** processor seconds a second, by duty cycle: one figure a round */
  used: Record<Duty, number[]>
  /** milliseconds from the command's end until the processes took no more than the new level says */
  effective: number[]
}

export default async function main([seconds = String(DEFAULT_SECONDS)]: string[]): Promise<void> {
  const milliseconds = Number(seconds) * 1000
  if (!(milliseconds > 0)) throw new Error('usage: npm run bench -- throttle [SECONDS of each level]')
  const devices = [{ id: 'cpu0' }, ...(existsSync(ASIC_SIM) ? [{ id: 'asic-sim-asic0', driver: ASIC_SIM }] : [])]
  const measured: Measured[] = []
  for (const device of devices) measured.push(await measure(device, milliseconds))
  const body = report(measured, milliseconds)
  console.log(body)
  writeBenchmarkSection('throttle', body)
}

async function measure(device: { id: string; driver?: string }, milliseconds: number): Promise<Measured> {
  const dataDir = temporaryFolder()
  const command = async (...words: string[]): Promise<void> => {
    const { code, stderr } = await lode(dataDir, words)
    if (code !== 0) throw new Error(stderr)
  }
  const setDuty = (duty: Duty): Promise<void> => command('throttle', '--level', 'idle', '--duty', String(duty))
  if (device.driver !== undefined) await command('drivers', 'add', device.driver, '--yes')
  const options = ['mine', '--json', '--devices', device.id, '--threads', '1', '--tier', 'itp1-small']
  const mining = startLode(dataDir, [...options, '--no-samples', '--no-dashboard'])
  const following = follow(mining)
  const used: Measured['used'] = { 100: [], 60: [], 30: [] }
  const effective: number[] = []
  try {
    await following.until(({ event }) => event === 'started')
    await sleep(WARM_UP_MILLISECONDS)
    for (let round = 0; round < ROUNDS; round++) {
      for (const duty of DUTIES) {
        await setDuty(duty)
        if (duty === 30) effective.push(await timeUntilBelow(dataDir, median(used[60])))
        else await sleep(1000)
        used[duty].push(await usedPerSecond(dataDir, milliseconds))
      }
    }
  } finally {
    mining.kill('SIGTERM')
    await following.exited
  }
  return { device: device.id, used, effective }
}

/** Processor seconds a second of all of Lode's processes of this folder. */
async function usedPerSecond(dataDir: string, milliseconds: number): Promise<number> {
  const startedAt = performance.now()
  const before = processorSeconds(dataDir)
  await sleep(milliseconds)
  return ((processorSeconds(dataDir) - before) * 1000) / (performance.now() - startedAt)
}

/** Milliseconds until half a second's use has fallen below that of the level before. */
async function timeUntilBelow(dataDir: string, level: number): Promise<number> {
  const startedAt = performance.now()
  const looks: { at: number; seconds: number }[] = []
  for (;;) {
    const at = performance.now()
    looks.push({ at, seconds: processorSeconds(dataDir) })
    const first = looks.find((look) => at - look.at <= 500)
    if (first && at - first.at > 400) {
      const rate = ((looks.at(-1)?.seconds ?? 0) - first.seconds) / ((at - first.at) / 1000)
      if (rate < level * 0.75) return first.at - startedAt
    }
    if (at - startedAt > 10_000) return Number.POSITIVE_INFINITY
    await sleep(LOOK_MILLISECONDS)
  }
}

/** User and system time of the processes that belong to the folder (proc(5): fields 14 and 15 of stat). */
function processorSeconds(dataDir: string): number {
  return processesMentioning(dataDir).reduce((sum, pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
    } catch {
      return sum // it ended a moment ago
    }
  }, 0)
}

function report(measured: readonly Measured[], milliseconds: number): string {
  const rows = measured.flatMap(({ device, used }) => {
    const full = median(used[100])
    return DUTIES.map((duty) => {
      const value = median(used[duty])
      return `| ${device} | ${duty} % | ${value.toFixed(3)} | ${((value / full) * 100).toFixed(0)} % |`
    })
  })
  const effects = measured
    .map(
      ({ device, effective }) =>
        `${device} ${Math.round(median(effective))} ms (at most ${Math.round(Math.max(...effective))})`,
    )
    .join(', ')
  return `${measuredOn()}. Processor time of all of Lode's processes (engine, worker, verifier, sensors, and the simulated device's own), from the system, while the whole application mines \`itp1-small\` with one device and one thread; the levels alternate, ${milliseconds / 1000} s each, medians of ${ROUNDS} rounds. What checks shares is in it, and follows the rate.

| device | duty cycle | processor seconds a second | of full |
| --- | --- | --- | --- |
${rows.join('\n')}

From the end of the command that sets 30 % to the beginning of the first half second whose use has fallen below three quarters of the 60 % level, medians: ${effects}.`
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
