import { totalmem } from 'node:os'
import { expect, it } from 'vitest'
import { unitRequest } from '#shared/protocol/unit'
import { deviceIdOf, driverDeviceOf, rowOf, type KnownDriver } from './device'

const device = { id: 'chip0', kind: 4, name: 'A chip', units: '', firmware: '', maximumThreads: 0 }

it.each([
  [1, 'cpu'],
  [2, 'gpu'],
  [3, 'npu'],
  [4, 'asic'],
  [5, 'fpga'],
  [6, 'other'],
  [7, 'other'],
])('a device of lode_device_kind %i is shown as %s', (kind, shown) => {
  const manifest = { name: 'a', vendor: 'b', version: '1', licence: 'MIT', sha256: '0'.repeat(64), platforms: [] }
  const driver = { manifest, state: 'ready', devices: [{ ...device, memoryBytes: 0, kind }] } as unknown as KnownDriver
  expect(rowOf(driver).devices).toMatchObject([{ kind: shown }])
})

it.each([
  ['its own memory', 1_000_000_000, 1_000_000_000],
  ["half of the computer's where it has none", 0, Math.floor(totalmem() / 2)],
])('a device has a limit for its weights: %s', (_what, memoryBytes, memoryLimitBytes) => {
  expect(driverDeviceOf('/a.driver', { ...device, memoryBytes })).toEqual({
    library: '/a.driver',
    id: 'chip0',
    memoryLimitBytes,
  })
})

it('a device has a name that the network takes, however long its driver and its own are', () => {
  const request = { device: deviceIdOf('d'.repeat(60), 'Chip '.repeat(60)), tier: 'itp1-small', macsPerSecond: 1 }
  expect(unitRequest.safeParse(request).success).toBe(true)
})
