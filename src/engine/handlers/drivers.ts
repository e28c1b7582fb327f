import type { Handlers } from '#shared/contract/index'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { EngineContext } from '../context'

export function driverHandlers({
  drivers,
  driverChecks,
  devices,
  mining,
}: EngineContext): Pick<
  Handlers,
  | 'drivers.list'
  | 'drivers.inspect'
  | 'drivers.add'
  | 'drivers.remove'
  | 'drivers.retry'
  | 'drivers.check'
  | 'drivers.checks'
> {
  const idsOf = (name: string): string[] =>
    drivers.list().flatMap((driver) => (driver.name === name ? driver.devices.map(({ id }) => id) : []))
  return {
    'drivers.list': async () => {
      await drivers.settled()
      return drivers.list()
    },
    'drivers.inspect': async ({ path }) => drivers.inspect(path),
    'drivers.add': async ({ path, sha256 }) => {
      await drivers.settled()
      const row = await drivers.add(path, sha256)
      await mining.devicesChanged()
      return row
    },
    'drivers.remove': async ({ name }) => {
      await drivers.settled()
      // the workers of the driver end before its file is removed
      const ids = idsOf(name)
      for (const id of ids) await devices.runner(id).stop()
      await drivers.remove(name)
      for (const id of ids) devices.forget(id)
      return null
    },
    'drivers.check': async ({ name }) => {
      await drivers.settled()
      const mines = idsOf(name).find((id) => devices.runner(id).backend !== null)
      if (mines !== undefined) throw new Failure('conflict', message('driver-check-while-mining', { device: mines }))
      return driverChecks.run(name)
    },
    'drivers.checks': async () => driverChecks.list(),
    'drivers.retry': async ({ name }) => {
      await drivers.settled()
      const row = await drivers.retry(name)
      await mining.devicesChanged()
      return row
    },
  }
}
