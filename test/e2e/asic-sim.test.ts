/** The simulated ASIC breaks while it mines: it is quarantined with a reason, the processor goes on, and wrong work earns nothing. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { driverRow } from '#shared/contract/drivers'
import { eventually, follow, lode, root, startLode, temporaryFolder } from '../support/lode'
import { answerOf } from './cli-schemas'

const folder = join(root, 'out/native/drivers/asic-sim')
const DEVICE = 'asic-sim-asic0'

describe.runIf(existsSync(folder))('the simulated ASIC', () => {
  test.each([
    ['die', /lost/],
    ['lost-link', /lost/],
    ['wrong-digest', /wrong/],
  ] as const)('told to %s', async (fault, words) => {
    const dataDir = temporaryFolder()
    const added = answerOf(driverRow, await lode(dataDir, ['drivers', 'add', folder, '--yes', '--json']))
    expect(added).toMatchObject({ state: 'ready', vendor: 'Lode (simulated)' })
    expect(added.devices).toMatchObject([{ id: DEVICE, name: 'Simulated ASIC', kind: 'asic' }])
    const options = ['mine', '--json', '--for', '120', '--no-samples', '--threads', '1', '--tier', 'itp1-small']
    const mining = startLode(dataDir, [...options, '--no-dashboard'])
    const following = follow(mining)
    try {
      await following.until((event) => JSON.stringify(event).includes(DEVICE))
      writeFileSync(join(dataDir, 'drivers/asic-sim/asic-sim.fault'), fault)
      let reason = ''
      await eventually(
        async () => {
          const rows = answerOf(z.array(driverRow), await lode(dataDir, ['drivers', 'list', '--json']))
          reason = rows[0]?.reason ?? ''
          return rows[0]?.state === 'quarantined'
        },
        'the quarantine',
        60_000,
      )
      expect(reason).toMatch(words)
      const status = await lode(dataDir, ['status', '--json'])
      expect(status.code).toBe(0)
      expect(JSON.parse(status.stdout)).toMatchObject({ mining: true })
    } finally {
      mining.kill('SIGTERM')
      await following.exited
    }
    const verified = await lode(dataDir, ['ledger', 'verify', '--json'])
    expect(verified.code).toBe(0)
  })
})
