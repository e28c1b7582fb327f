/** A device's power limit: set while it mines and only then, put back after a stop, after a crash, and when its driver goes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { lode, root, startLode, temporaryFolder, type Finished } from '../support/lode'
import { eventually } from '../support/waiting'
import { answerOf, devicesAnswer, failureOf } from './cli-schemas'

const folder = join(root, 'out/native/drivers/asic-sim')
const DEVICE = 'asic-sim-asic0'
const dataDir = temporaryFolder()
/** Where the simulated chip keeps its limit, whoever is connected. */
const env = { LODE_ASIC_SIM_LIMIT: join(dataDir, 'chip') }
const watts = (): number => (existsSync(env.LODE_ASIC_SIM_LIMIT) ? Number(readFileSync(env.LODE_ASIC_SIM_LIMIT)) : 80)
const command = (...words: string[]): Promise<Finished> => lode(dataDir, [...words, '--json'], { env })
const limitTo = (value: string): Promise<Finished> => command('devices', '--device', DEVICE, '--power-limit', value)
const limitOf = async (): Promise<unknown> =>
  answerOf(devicesAnswer, await command('devices')).find(({ id }) => id === DEVICE)?.powerLimit
const isSet = (value: number): Promise<void> => eventually(() => watts() === value, `${value} W on the chip`)

let mining: ReturnType<typeof startLode> | undefined
const mine = (): void => {
  const options = ['mine', '--json', '--no-samples', '--no-dashboard', '--threads', '1', '--tier', 'itp1-small']
  mining = startLode(dataDir, options, { env })
  mining.stdout?.resume()
}
const ended = (): Promise<unknown> => new Promise((resolve) => mining?.once('exit', resolve))
afterEach(() => mining?.kill('SIGKILL'))

test.runIf(existsSync(folder))('the power limit of a driver that has one', { tags: ['long'] }, async () => {
  await command('drivers', 'add', folder, '--yes')
  const range = { minimumWatts: 20, maximumWatts: 80, defaultWatts: 80 }
  expect(await limitOf()).toEqual({ ...range, currentWatts: 80, wantedWatts: null })
  for (const wrong of ['500', '19.9']) expect(failureOf(await limitTo(wrong)).message).toMatch(/20 to 80 W/)

  // the wish alone changes nothing on the chip
  expect((await limitTo('40')).code).toBe(0)
  expect(watts()).toBe(80)

  mine()
  await isSet(40)
  await limitTo('55')
  await isSet(55)
  expect(await limitOf()).toEqual({ ...range, currentWatts: 55, wantedWatts: 55 })

  // a crash leaves it on the chip, and the next start puts back what was there before Lode
  const killed = ended()
  mining?.kill('SIGKILL')
  await killed
  expect(watts()).toBe(55)
  expect(await limitOf()).toEqual({ ...range, currentWatts: 80, wantedWatts: 55 })
  expect(watts()).toBe(80)

  mine()
  await isSet(55)
  expect((await limitTo('off')).code).toBe(0)
  await isSet(80)
  await limitTo('30')
  await isSet(30)
  const stopped = ended()
  await command('stop')
  expect(watts()).toBe(80)
  await stopped

  mine()
  await isSet(30)
  expect((await command('drivers', 'remove', 'asic-sim')).code).toBe(0)
  expect(watts()).toBe(80)
})
