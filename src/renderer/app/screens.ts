/** The screens. Home comes with the page, the others after it: sooner than they are opened, so that they are there when the engine is not. */
import { lazy, type ComponentType } from 'react'
import { Home } from '../features/home/Home'
import type { Screen } from './route'

const PARTS = {
  devices: async () => ({ default: (await import('../features/devices/Devices')).Devices }),
  jobs: async () => ({ default: (await import('../features/jobs/Jobs')).Jobs }),
  models: async () => ({ default: (await import('../features/models/Models')).Models }),
  earnings: async () => ({ default: (await import('../features/earnings/Earnings')).Earnings }),
  settings: async () => ({ default: (await import('../features/settings/Settings')).Settings }),
}

/** Fresh ones for each try: React keeps a part that did not load as failed. */
export function screens(): Record<Screen, ComponentType> {
  return {
    home: Home,
    devices: lazy(PARTS.devices),
    jobs: lazy(PARTS.jobs),
    models: lazy(PARTS.models),
    earnings: lazy(PARTS.earnings),
    settings: lazy(PARTS.settings),
  }
}

/** Asks for every part. One that does not come now is asked for again when its screen is opened. */
export async function loadScreens(): Promise<void> {
  await Promise.allSettled(Object.values(PARTS).map((load) => load()))
}
