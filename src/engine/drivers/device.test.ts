import { totalmem } from 'node:os'
import { expect, it } from 'vitest'
import { driverDeviceOf } from './device'

const device = { id: 'chip0', kind: 4, name: 'A chip', units: '', firmware: '', maximumThreads: 0 }

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
