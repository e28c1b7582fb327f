/** Every message that Lode has, by the part of it that says so. Codes are unique over all parts. */
import type { Definition } from './definition'
import { addressMessages } from './addresses'
import { commandMessages } from './command'
import { computingMessages } from './computing'
import { deviceMessages } from './devices'
import { downloadMessages } from './downloads'
import { driverMessages } from './drivers'
import { engineMessages } from './engine'
import { generalMessages } from './general'
import { jobMessages } from './jobs'
import { ledgerMessages } from './ledger'
import { miningMessages } from './mining'
import { modelFileMessages } from './model-files'
import { modelMessages } from './models'
import { networkMessages } from './network'
import { provingMessages } from './proving'
import { refusalMessages } from './refusals'
import { screenMessages } from './screens'
import { settingsMessages } from './settings'

export const tables = {
  general: generalMessages,
  engine: engineMessages,
  mining: miningMessages,
  devices: deviceMessages,
  drivers: driverMessages,
  jobs: jobMessages,
  computing: computingMessages,
  proving: provingMessages,
  models: modelMessages,
  'model-files': modelFileMessages,
  downloads: downloadMessages,
  ledger: ledgerMessages,
  network: networkMessages,
  refusals: refusalMessages,
  settings: settingsMessages,
  addresses: addressMessages,
  command: commandMessages,
  screens: screenMessages,
}

const typed = {
  ...generalMessages,
  ...engineMessages,
  ...miningMessages,
  ...deviceMessages,
  ...driverMessages,
  ...jobMessages,
  ...computingMessages,
  ...provingMessages,
  ...modelMessages,
  ...modelFileMessages,
  ...downloadMessages,
  ...ledgerMessages,
  ...networkMessages,
  ...refusalMessages,
  ...settingsMessages,
  ...addressMessages,
  ...commandMessages,
  ...screenMessages,
}
export type TypedDefinitions = typeof typed
export const definitions: Readonly<Record<string, Definition>> = typed
