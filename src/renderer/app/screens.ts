/** The screens. Home is part of the page. The other screens are loaded right after Home, before anyone opens them, so that they can be shown when the engine is gone. */
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

/** The screens, made anew for each try: React remembers that a lazy screen did not load. */
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

/** Loads every screen. A screen that does not load now is loaded again when it is opened. */
export async function loadScreens(): Promise<void> {
  await Promise.allSettled(Object.values(PARTS).map((load) => load()))
}
