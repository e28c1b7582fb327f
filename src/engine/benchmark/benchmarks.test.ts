import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Device } from '#shared/contract/devices'
import { findReportProblems } from '#shared/domain/benchmark-report'
import { GOLDEN } from '#shared/domain/golden'
import { TIERS } from '#shared/domain/tiers'
import { foreignWords, inEnglish } from '#shared/domain/messages'
import { sample } from '../../../test/support/sample-data'
import { createBenchmarks, type BenchmarksOptions } from './benchmarks'
import { openLedger, type Ledger } from '../ledger'
import { createSigner, signatureVerifier } from '../network'
import type { BenchmarkOutcome, BenchmarkPlan } from './benchmark-task'

const clock = { now: () => 1_795_000_000_000 }
const golden = GOLDEN.tiers['itp1-small']
const RIGHT: BenchmarkOutcome & { threads: number } = {
  ended: 'time',
  checksumDigests: [...golden.digests],
  wrong: null,
  samples: [10, 12, 11, 11.5, 10.5],
  nonces: 55,
  milliseconds: 5000,
  noncesChecked: golden.digests.length,
  digests: [{ nonce: 7n, digest: 'ab'.repeat(32) }],
  measuredWatts: null,
  clockHertz: 3e9,
  temperatureCelsius: 71,
  threads: 3,
}

let folder: string
let ledger: Ledger
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lode-benchmarks-'))
  ledger = openLedger({ folder, clock, ids: { uuid: () => v7() }, onNotice: () => undefined })
})
afterEach(() => {
  ledger.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A rig with one processor whose measurement is scripted. */
async function rig(outcome: typeof RIGHT, changes: Partial<Device> = {}) {
  const [processor] = await sample('empty', clock.now).handlers['devices.list'](null)
  if (!processor) throw new Error('the sample has no device')
  const device: Device = { ...processor, backends: ['onnx-cpu'], ...changes }
  const seen = { plans: [] as BenchmarkPlan[], quarantined: [] as string[] }
  const runner = {
    backend: null as string | null,
    cancelBenchmark: () => true,
    benchmark: async (plan: BenchmarkPlan) => {
      seen.plans.push(plan)
      return outcome
    },
  }
  const devices = {
    get: () => device,
    runner: () => runner,
    heat: () => ({ celsius: 60, limitCelsius: 95 }),
  }
  const powers: BenchmarksOptions['powers'] = {
    atFullLoad: () => ({ watts: 40, certainty: 'estimated', source: 'a table', temperatureCelsius: null }),
    of: () => ({ watts: 5, certainty: 'estimated', source: 'a table', temperatureCelsius: 60 }),
    clockHertz: () => 3e9,
  }
  const signer = createSigner('11'.repeat(32))
  const context = {
    version: '0.1.0',
    ledger,
    host: { start: () => Promise.reject(new Error('not asked for')) },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    randomBytes: (bytes: number) => new Uint8Array(bytes).fill(255),
  }
  const benchmarks = createBenchmarks(context, {
    devices: devices as unknown as BenchmarksOptions['devices'],
    powers,
    settled: async () => undefined,
    quarantine: async (id, reason) => void seen.quarantined.push(`${id}: ${inEnglish.text(reason)}`),
    signer,
  })
  return { benchmarks, runner, seen }
}

describe('benchmarks', () => {
  it('are kept with median, spread and conditions, and exported as a report without problems', async () => {
    const { benchmarks, seen } = await rig(RIGHT)
    const row = await benchmarks.run({ id: 'cpu0', tier: 'itp1-small' })
    const macsPerSecond = 11 * Number(TIERS['itp1-small'].macs)
    expect(row).toMatchObject({
      noncesPerSecond: 11,
      macsPerSecond,
      watts: 40,
      wattsCertainty: 'estimated',
      threads: 3,
    })
    expect(row).toMatchObject({ macsPerJoule: macsPerSecond / 40, checksum: 'ok', lodeVersion: '0.1.0', samples: 5 })
    expect(row.spread).toBeCloseTo(1 / 11)
    expect(ledger.benchmarks('cpu0')).toEqual([row])
    expect(seen.plans[0]).toMatchObject({ milliseconds: 8000, stress: null, firstNonce: 2n ** 63n - 1n })
    expect(findReportProblems(benchmarks.export(row.id), signatureVerifier)).toEqual([])
    expect(seen.quarantined).toEqual([])
  })

  it('that find a wrong digest quarantine the device, and there is nothing to sign', async () => {
    const wrong = { nonce: 3n, digest: 'cd'.repeat(32) }
    const { benchmarks, seen } = await rig({ ...RIGHT, ended: 'wrong-digest', wrong, samples: [] })
    const row = await benchmarks.run({ id: 'cpu0', tier: 'itp1-small' })
    expect(row).toMatchObject({
      checksum: 'mismatch',
      wrongNonce: '3',
      noncesPerSecond: 0,
      macsPerJoule: null,
      watts: null,
    })
    expect(seen.quarantined).toEqual([expect.stringContaining('this device computes wrong results')])
    expect(() => benchmarks.export(row.id)).toThrow(/wrong results/)
    expect(() => benchmarks.export('none')).toThrow(/no benchmark/)
  })

  it('refuse a backend that the device has not, a device that cannot mine, and stress while mining', async () => {
    const able = await rig(RIGHT)
    await expect(able.benchmarks.run({ id: 'cpu0', backend: 'webgpu' })).rejects.toMatchObject({ code: 'wrong-usage' })
    able.runner.backend = 'onnx-cpu'
    await expect(able.benchmarks.run({ id: 'cpu0', stressMinutes: 1 })).rejects.toMatchObject({ code: 'conflict' })
    const unable = await rig(RIGHT, { canMine: false, reason: foreignWords('It lies.') })
    await expect(unable.benchmarks.run({ id: 'cpu0' })).rejects.toMatchObject({ code: 'device-unavailable' })
  })
})
