import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { ManagedProcess, ProcessHost } from '#process/host'
import { createNodeProcessHost } from '#process/node-host'
import type { Clock } from '#process/clock'
import { createSensorReadings, type SensorReading, type SensorReadings } from '../power/sensor-readings'
import { createSensorsClient, type SensorsClient } from './sensors-client'

/** Time a hundred times as fast, so that back-off takes milliseconds. */
const fastClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * 100,
  setTimeout: (callback, milliseconds) => {
    const timer = setTimeout(callback, milliseconds / 100)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** for a machine that is busy with other things */
const patiently = { timeout: 30_000 }
const folders: string[] = []
let client: SensorsClient | undefined
let polled: SensorReadings | undefined
afterEach(async () => {
  polled?.stop()
  await client?.stop()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Processes of a program given as source, each kept so that a test can see and kill it. */
function hostOf(source: string | undefined): { host: ProcessHost; started: ManagedProcess[] } {
  let folder = resolve(import.meta.dirname, '../../../out/node')
  if (source !== undefined) {
    folder = mkdtempSync(join(tmpdir(), 'lode-sensors-'))
    folders.push(folder)
    writeFileSync(join(folder, 'sensors.js'), source)
  }
  const node = createNodeProcessHost(folder)
  const started: ManagedProcess[] = []
  const host: ProcessHost = {
    start: async (program, start) => {
      const process = await node.start(program, start)
      started.push(process)
      return process
    },
  }
  return { host, started }
}

/** A real look takes its time on a busy machine; a process that is to be given up is given up soon. */
function connect(host: ProcessHost, readTimeoutMilliseconds = 200): SensorReading[] {
  const readings: SensorReading[] = []
  client = createSensorsClient({ host, clock: fastClock, randomFraction: () => 0.5 }, { readTimeoutMilliseconds })
  polled = createSensorReadings({
    clock: fastClock,
    machine: client,
    driverDevices: () => [],
    onReading: (reading) => {
      if (reading.deviceId === 'cpu0') readings.push(reading)
    },
  })
  return readings
}

const ANSWER = (body: string): string => `
let reads = 0
process.on('disconnect', () => process.exit(0))
process.on('message', ({ request, method }) => {
  const answer = (result) => process.send({ answer: request, result })
  const reading = { at: performance.now(), cpuLoad: 0.5, gpus: [] }
  ${body}
})
`
const gone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}

describe('the sensors client', () => {
  it('gets inventory and readings from the real process, and ends it', async () => {
    const { host, started } = hostOf(undefined)
    const readings = connect(host, 20_000)
    const inventory = await client?.inventory()
    expect(inventory?.cpu.name).toBeTruthy()
    expect(inventory?.memoryBytes).toBeGreaterThan(0)
    await expect.poll(() => readings.length, patiently).toBeGreaterThan(2)
    expect(readings.at(-1)?.utilization).toBeGreaterThanOrEqual(0)
    await client?.stop()
    expect(started).toHaveLength(1)
    expect(gone(started[0]?.pid ?? 0)).toBe(true)
  })

  it('starts the process again when it is killed, and goes on reading', async () => {
    const { host, started } = hostOf(undefined)
    const readings = connect(host, 20_000)
    await expect.poll(() => readings.length, patiently).toBeGreaterThan(0)
    started[0]?.kill()
    await started[0]?.exited
    const before = readings.length
    await expect.poll(() => readings.length, patiently).toBeGreaterThan(before)
    expect(started).toHaveLength(2)
  })

  it('kills a process that does not answer', async () => {
    const { host, started } = hostOf(ANSWER(''))
    connect(host)
    await expect.poll(() => started.length, patiently).toBeGreaterThan(1)
    expect(gone(started[0]?.pid ?? 0)).toBe(true)
  })

  it('falls back to what Node knows when the sensors cannot look', async () => {
    const failure = "{ code: 'internal', message: 'broken', action: '' }"
    const { host } = hostOf(ANSWER(`process.send({ failure: request, error: ${failure} })`))
    connect(host)
    const inventory = await client?.inventory()
    expect(inventory).toMatchObject({ gpus: [], raplReadable: false, battery: false })
    expect(inventory?.cpu.name).toBeTruthy()
  })

  it('falls back when the process cannot even be started, and stops all the same', async () => {
    connect({ start: () => Promise.reject(new Error('no such program')) })
    expect((await client?.inventory())?.gpus).toEqual([])
    expect(await client?.read()).toBeNull()
  })

  it('keeps the last inventory when a later look fails', async () => {
    const found = { cpu: { name: 'Found once' }, gpus: [] }
    const { host } = hostOf(
      ANSWER(`if (method === 'sensors.read') return answer(reading)
        if (reads++ === 0) return answer(${JSON.stringify(found)})
        process.send({ failure: request, error: { code: 'internal', message: 'broken', action: '' } })`),
    )
    connect(host)
    expect((await client?.inventory())?.cpu.name).toBe('Found once')
    expect((await client?.inventory())?.cpu.name).toBe('Found once')
  })
})
