/** Which screen is shown: the address's fragment, so that Back works in a page and nothing is asked of a server. */
import { useSyncExternalStore } from 'react'

export const screens = ['home', 'devices', 'jobs', 'models', 'earnings', 'settings'] as const
export type Screen = (typeof screens)[number]
export interface Route {
  screen: Screen
  /** the part below the screen: a settings section, a device's or job's id; empty when there is none */
  part: string
}

export function href(screen: Screen, part = ''): string {
  return part === '' ? `#/${screen}` : `#/${screen}/${encodeURIComponent(part)}`
}

export function go(screen: Screen, part = ''): void {
  window.location.hash = href(screen, part)
}

/** Anything unknown is Home. */
export function parseRoute(hash: string): Route {
  const [, name = '', part = ''] = hash.split('/')
  const screen = screens.find((one) => one === name) ?? 'home'
  try {
    return { screen, part: decodeURIComponent(part) }
  } catch {
    return { screen, part: '' }
  }
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener('hashchange', onChange)
  return () => window.removeEventListener('hashchange', onChange)
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => window.location.hash))
}
