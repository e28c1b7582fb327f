import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { history } from '#shared/contract/engine'
import { openMetrics } from './metrics'
import type { DeviceSample, Metrics } from './metrics-types'
import { makeWorld, START, type TestWorld } from './ledger.test.support'

let world: TestWorld
let metrics: Metrics
beforeEach(() => {
  world = makeWorld()
  metrics = openMetrics(world.options)
})
afterEach(() => {
  metrics.close()
  world.remove()
})

const proving: DeviceSample = {
  deviceId: 'cpu0',
  activity: 'proof',
  macs: 3e9,
  creditMacs: 2e9,
  joules: 50,
  measuredJoules: 0,
}
const reading: DeviceSample = {
  deviceId: 'gpu0',
  activity: 'ocr',
  macs: 1e9,
  creditMacs: 1e9,
  joules: 100,
  measuredJoules: 100,
}

/** One sample a second from the clock's time on. */
function run(seconds: number, ...devices: DeviceSample[]): void {
  for (let second = 0; second < seconds; second++) {
    world.clock.time += 1000
    metrics.append({ at: world.clock.time, milliseconds: 1000, devices })
  }
}

describe('history', () => {
  it('gives rates and watts at even steps, with gaps where nothing was sampled', () => {
    run(30, proving, reading)
    const view = history.parse(metrics.history('1h'))
    expect(view.points).toHaveLength(360)
    expect(view.to - view.from).toBe(3_600_000)
    expect(view.points.slice(-3)).toEqual(
      [0, 10_000, 20_000].map((after) => ({
        at: START + after,
        creditMacsPerSecond: 3e9,
        watts: 150,
        wattsMeasured: 100,
      })),
    )
    expect(view.points.slice(0, -3).every((point) => point.creditMacsPerSecond === null && point.watts === null)).toBe(
      true,
    )
    expect(view.lanes).toEqual([
      { deviceId: 'cpu0', activity: 'proof', from: START, to: START + 30_000 },
      { deviceId: 'gpu0', activity: 'ocr', from: START, to: START + 30_000 },
    ])
  })

  it('does not understate the step that is still running', () => {
    run(65, proving)
    expect(metrics.history('3h').points.at(-1)).toMatchObject({
      at: START + 60_000,
      creditMacsPerSecond: 2e9,
      watts: 50,
    })
  })

  it('keeps its values over a restart and shows the same in every period', () => {
    run(600, proving)
    metrics.close()
    metrics = openMetrics(world.options)
    for (const period of ['1h', '3h', '24h', '7d'] as const) {
      const view = history.parse(metrics.history(period))
      const known = view.points.filter((point) => point.creditMacsPerSecond !== null)
      expect(known.length).toBeGreaterThan(0)
      for (const point of known)
        expect(point).toMatchObject({ creditMacsPerSecond: 2e9, watts: 50, wattsMeasured: null })
    }
  })

  it('names pauses with their causes, also the one that goes on', () => {
    metrics.pauseBegan('manual', START + 1000)
    metrics.pauseBegan('manual, network', START + 5000)
    metrics.pauseEnded(START + 9000)
    metrics.pauseBegan('practice-hour', START + 20_000)
    world.clock.time = START + 25_000
    expect(metrics.history('1h').pauses).toEqual([
      { from: START + 1000, to: START + 5000, cause: 'manual' },
      { from: START + 5000, to: START + 9000, cause: 'manual, network' },
      { from: START + 20_000, to: START + 25_000, cause: 'practice-hour' },
    ])
  })
})

describe('a pause that was open when Lode was killed', () => {
  it('ends with the last sample', () => {
    metrics.pauseBegan('manual', START + 1000)
    run(10, { ...proving, activity: 'paused' })
    metrics.close()
    world.clock.time += 60_000
    metrics = openMetrics(world.options)
    expect(metrics.history('1h').pauses).toEqual([{ from: START + 1000, to: START + 10_000, cause: 'manual' }])
    expect(metrics.history('1h').lanes).toEqual([
      { deviceId: 'cpu0', activity: 'paused', from: START, to: START + 10_000 },
    ])
  })
})

describe('energy', () => {
  it('is the sum over devices, with the measured share', () => {
    run(60, proving, reading)
    expect(metrics.energy(START, START + 60_000)).toMatchObject({
      joules: 9000,
      certainty: 'mixed',
      measuredShare: 2 / 3,
    })
    expect(metrics.energy(START + 60_000, START + 120_000)).toBeNull()
    expect(metrics.miningSeconds(START, START + 60_000)).toBe(60)
  })

  it('is unknown where no watts are known, and idle time is no mining', () => {
    run(10, { ...proving, joules: null, activity: 'idle' })
    expect(metrics.energy(START, START + 60_000)).toBeNull()
    expect(metrics.miningSeconds(START, START + 60_000)).toBe(0)
  })

  it('is kept for years by the quarter of an hour, after seconds and minutes are forgotten', () => {
    run(1800, proving)
    world.clock.time = START + 400 * 86_400_000
    run(20, proving)
    expect(metrics.energy(START, START + 86_400_000)).toMatchObject({ joules: 90_000, certainty: 'estimated' })
    expect(metrics.miningSeconds(START, START + 86_400_000)).toBe(1800)
    expect(metrics.history('1h').points.filter((point) => point.watts !== null)).toHaveLength(2)
    const db = new Database(join(world.folder, 'metrics.db'), { readonly: true })
    const kept = ['seconds', 'minutes', 'mining_minutes', 'quarters', 'mining_quarters'].map((table) =>
      db
        .prepare(`SELECT count(*) FROM ${table} WHERE at < ?`)
        .pluck()
        .get(world.clock.time - 20_000),
    )
    db.close()
    expect(kept).toEqual([0, 0, 0, 2, 2])
  })
})

describe('a damaged file', () => {
  it('is moved aside and recreated, with a notice', () => {
    run(20, proving)
    metrics.close()
    writeFileSync(join(world.folder, 'metrics.db'), 'no database at all, but long enough to be read as one'.repeat(100))
    metrics = openMetrics(world.options)
    expect(world.notices).toMatchObject([{ words: { code: 'metrics-begun-anew' }, severity: 'warning' }])
    expect(readdirSync(world.folder).filter((file) => file.startsWith('metrics.damaged-'))).not.toEqual([])
    run(20, proving)
    expect(metrics.energy(START, START + 3_600_000)).toMatchObject({ joules: 1000 })
  })

  it('costs nothing but the measurements where the folder cannot be written', () => {
    metrics.close()
    const file = join(world.folder, 'a file where the folder should be')
    writeFileSync(file, '')
    metrics = openMetrics({ ...world.options, folder: file })
    run(20, proving)
    expect(metrics.energy(START, START + 3_600_000)).toMatchObject({ joules: 1000 })
    expect(world.notices).toMatchObject([{ severity: 'warning' }])
  })
})
