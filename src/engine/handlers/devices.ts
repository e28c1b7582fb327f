import type { Handlers } from '#shared/contract/index'
import type { EngineContext } from '../context'

const BENCHMARK_HISTORY_ROWS = 100
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
  | 'devices.cancelBenchmark'
  | 'devices.benchmarks'
  | 'devices.exportBenchmark'
> {
  const { benchmarks, devices, drivers, mining, ledger, events } = context
  return {
    'devices.list': async () => {
      // The list names the engines that work here; a library that hangs while it is tried must not hold it up.
      await settledWithin(devices.settled(), ENGINE_LOOK_MILLISECONDS)
      return devices.list()
    },
    'devices.refresh': async () => {
      await devices.settled()
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
      const { quarantined } = devices.get(id)
      const owner = drivers.ownerOf(id)
      if (!quarantined) devices.runner(id).retry()
      else if (owner === null) {
        devices.endQuarantine(id)
        devices.runner(id).retry()
      } else await drivers.retry(owner.driver)
      if (quarantined) await mining.devicesChanged()
      return devices.get(id)
    },
    'devices.benchmark': (request) => benchmarks.run(request),
    'devices.cancelBenchmark': async ({ id }) => benchmarks.cancel(devices.get(id).id),
    'devices.benchmarks': async ({ id }) => ledger.benchmarks(id ?? null, BENCHMARK_HISTORY_ROWS),
    'devices.exportBenchmark': async ({ benchmarkId }) => benchmarks.export(benchmarkId),
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
