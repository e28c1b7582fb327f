import { expect, it } from 'vitest'
import { createSigner, signatureVerifier } from '#engine/network/index'
import { BENCHMARK_EPOCH, median, spreadOf } from './benchmark'
import { findReportProblems, signedBenchmark, type BenchmarkReport } from './benchmark-report'
import { GOLDEN } from './golden'
import { signObject } from './signed'
import { TIERS } from './tiers'

const signer = createSigner('11'.repeat(32))
const samples = [10, 12, 11, 10.5, 11.5]
const macsPerSecond = 11 * Number(TIERS['itp1-small'].macs)
const golden = GOLDEN.tiers['itp1-small']
const report: BenchmarkReport = {
  version: 2,
  rig: signer.publicKeyHex,
  lodeVersion: '0.1.0',
  at: 1_795_000_000_000,
  mode: 'benchmark',
  device: { id: 'cpu0', kind: 'cpu', name: 'A', vendor: 'B', memoryBytes: 1e9, instructionSets: [], driver: null },
  samples,
  checksumDigests: [...golden.digests],
  digests: [{ nonce: '7', digest: 'ab'.repeat(32) }],
  backend: 'native',
  threads: 4,
  tier: 'itp1-small',
  epochSeed: BENCHMARK_EPOCH,
  milliseconds: 5000,
  noncesPerSecond: 11,
  macsPerSecond,
  spread: spreadOf(samples),
  watts: 40,
  wattsCertainty: 'estimated',
  wattsSource: 'a table',
  macsPerJoule: macsPerSecond / 40,
  temperatureCelsius: null,
  clockHertz: null,
  powerLimitWatts: null,
  checksum: golden.checksum,
}
const problems = (changes: Partial<BenchmarkReport>): string[] =>
  findReportProblems(signObject('benchmark', { ...report, ...changes }, signer), signatureVerifier)

it('a report as it was signed has no problems, and is what a file holds', () => {
  expect(problems({})).toEqual([])
  const signed = signObject('benchmark', report, signer)
  expect(signedBenchmark.parse(JSON.parse(JSON.stringify(signed)))).toEqual(signed)
  expect(signedBenchmark.safeParse({ ...signed, body: { ...report, more: 1 } }).success).toBe(false)
})

it.each<[string, Partial<BenchmarkReport>, RegExp]>([
  ['another rig', { rig: '22'.repeat(32) }, /one rig and is signed by another/],
  ['other samples', { samples: samples.map((one) => one * 3) }, /rate is not the median/],
  ['another rate of MACs', { macsPerSecond: macsPerSecond * 2 }, /do not follow/],
  ['another spread', { spread: 0.5 }, /spread does not follow/],
  ['no spread', { spread: null }, /spread does not follow/],
  ['more work per joule', { macsPerJoule: 1e12 }, /work per joule does not follow/],
  ['work per joule without watts', { watts: null }, /work per joule does not follow/],
  ['wrong golden digests', { checksumDigests: golden.digests.map(() => '00'.repeat(32)) }, /computes wrong results/],
  ['too few golden digests', { checksumDigests: golden.digests.slice(1) }, /computes wrong results/],
  ['another checksum', { checksum: '00'.repeat(32) }, /checksum is not that of its digests/],
])('a report that was signed with %s is found out', (_what, changes, words) => {
  expect(problems(changes).join('\n')).toMatch(words)
})

it('median and spread are those of the samples', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(() => median([])).toThrow(RangeError)
  // quartiles 2 and 4 about the median 3
  expect(spreadOf([1, 2, 3, 4, 5])).toBeCloseTo(2 / 3)
  expect(spreadOf([5, 5, 5, 5])).toBe(0)
  expect(spreadOf([1, 2, 3])).toBeNull()
})
