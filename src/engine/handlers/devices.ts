import type { Handlers } from '#shared/contract/index'
import { Failure } from '#shared/domain/errors'
import { proofEngines } from '#shared/domain/worker-protocol'
import type { EngineContext } from '../context'

const DEFAULT_BENCHMARK_SECONDS = 8
const ENGINE_LOOK_MILLISECONDS = 3000

export function deviceHandlers(
  context: EngineContext,
): Pick<
  Handlers,
  | 'devices.list'
  | 'devices.refresh'
  | 'devices.configure'
  | 'devices.retry'
  | 'devices.benchmark'
  | 'devices.benchmarks'
> {
  const { devices, drivers, mining, ledger, events } = context
  return {
    'devices.list': async () => {
      // The list names the engines that work here; a library that hangs while it is tried must not hold it up.
      await settledWithin(devices.ready(), ENGINE_LOOK_MILLISECONDS)
      return devices.list()
    },
    'devices.refresh': async () => {
      await devices.ready()
      await devices.refresh()
      await mining.devicesChanged()
      return devices.list()
    },
    'devices.configure': async ({ id, enabled, threads, temperatureLimitCelsius, powerLimitWatts }) => {
      // its range is known once the driver was looked at
      if (powerLimitWatts !== undefined) await drivers.ready()
      devices.configure(id, {
        ...(enabled === undefined ? {} : { enabled }),
        ...(threads === undefined ? {} : { threads }),
        ...(temperatureLimitCelsius === undefined
          ? {}
          : { temperatureLimitCelsius: temperatureLimitCelsius ?? undefined }),
        ...(powerLimitWatts === undefined ? {} : { powerLimitWatts: powerLimitWatts ?? undefined }),
      })
      if (enabled !== undefined) await mining.devicesChanged()
      events.emit('devices.changed', devices.list())
      return devices.get(id)
    },
    'devices.retry': async ({ id }) => {
      const owner = drivers.ownerOf(devices.get(id).id)
      const quarantined = drivers.list().find(({ name, state }) => name === owner?.driver && state === 'quarantined')
      if (quarantined) {
        await drivers.retry(quarantined.name)
        await mining.devicesChanged()
      } else devices.runner(id).retry()
      return devices.get(id)
    },
    'devices.benchmark': async ({ id, engine, tier, seconds }) => {
      await devices.ready()
      const device = devices.get(id)
      if (!device.canMine)
        throw new Failure('device-unavailable', `${id} cannot be measured: ${device.reason ?? 'it cannot mine'}`)
      const name = engine ?? device.engines[0]
      const known = proofEngines.find((candidate) => candidate === name)
      if (known === undefined || !device.engines.includes(known)) {
        throw new Failure('wrong-usage', `${id} has no engine "${name ?? ''}"`, `It has: ${device.engines.join(', ')}.`)
      }
      const measured = await devices
        .runner(id)
        .benchmark(known, tier ?? 'itp1-base', seconds ?? DEFAULT_BENCHMARK_SECONDS)
      const power = devices.fullLoadPower(id)
      const macsPerJoule = power.watts === null ? null : measured.macsPerSecond / power.watts
      return ledger.recordBenchmark({
        deviceId: id,
        engine: measured.engine,
        tier: measured.tier,
        noncesPerSecond: measured.noncesPerSecond,
        macsPerSecond: measured.macsPerSecond,
        watts: power.watts,
        wattsSource: power.source,
        macsPerJoule,
        checksum: measured.checksum,
      })
    },
    'devices.benchmarks': async ({ id }) => ledger.benchmarks(id, 50),
  }
}

async function settledWithin(work: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
