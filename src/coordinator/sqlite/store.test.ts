import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { describeCoordinatorStore } from '../../../test/support/coordinator-store-suite'
import { START } from '../../../test/support/coordinator-harness'
import { openNetworkDatabase } from './database'
import { createSqliteStore } from './store'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

describeCoordinatorStore('the store on SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lode-network-'))
  const { database } = openNetworkDatabase(folder, START)
  cleanUps.push(() => {
    database.close()
    rmSync(folder, { recursive: true })
  })
  return createSqliteStore(database)
})
