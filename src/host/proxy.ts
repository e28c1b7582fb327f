/** Lode fetches through HTTPS_PROXY, except from hosts of NO_PROXY; it reaches this computer itself without a proxy. */
import * as http from 'node:http'

const OWN = ['127.0.0.1', 'localhost', '::1']

/** Call once, before the first request. Versions of Node without this feature fetch without a proxy. */
export function applyProxy(environment: NodeJS.ProcessEnv = process.env): void {
  const set = (http as { setGlobalProxyFromEnv?: (from: Record<string, string | undefined>) => unknown })
    .setGlobalProxyFromEnv
  const named = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some((name) => environment[name])
  if (!set || !named) return
  const spared = [environment['NO_PROXY'] ?? environment['no_proxy'] ?? '', ...OWN]
    .filter((name) => name !== '')
    .join(',')
  set({ ...environment, NO_PROXY: spared, no_proxy: spared })
}
