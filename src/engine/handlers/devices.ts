import type { Handlers } from '#shared/contract/index'
import { settledWithin } from '../base'
import type { EngineContext } from '../context'

const BENCHMARK_HISTORY_ROWS = 100
const BACKEND_PROBE_MILLISECONDS = 3000

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
  const { benchmarks, devices, registry, drivers, mining, ledger, events } = context
  return {
    'devices.list': async () => {
      // The list names the backends that work; it does not wait longer for a library that hangs during its trial.
      await settledWithin(registry.settled(), BACKEND_PROBE_MILLISECONDS)
      return devices.list()
    },
    'devices.refresh': async () => {
      await registry.settled()
      await registry.refresh()
      await mining.devicesChanged()
      return devices.list()
    },
    'devices.configure': async ({ id, enabled, threads, temperatureLimitCelsius, powerLimitWatts }) => {
      // the range of the power limit is known once the driver was tried
      if (powerLimitWatts !== undefined) await drivers.settled()
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
      if (quarantined) await registry.driving(id).retry()
      if (devices.get(id).canMine) devices.runner(id).retry()
      if (quarantined) await mining.devicesChanged()
      return devices.get(id)
    },
    'devices.benchmark': (request) => benchmarks.run(request),
    'devices.cancelBenchmark': async ({ id }) => benchmarks.cancel(devices.get(id).id),
    'devices.benchmarks': async ({ id }) => ledger.benchmarks(id ?? null, BENCHMARK_HISTORY_ROWS),
    'devices.exportBenchmark': async ({ benchmarkId }) => benchmarks.export(benchmarkId),
  }
}
