/** HTTPS_PROXY and NO_PROXY count for what Lode fetches; this computer is never asked through a proxy. */
import * as http from 'node:http'

const OWN = ['127.0.0.1', 'localhost', '::1']

/** Once, before the first request. Versions of Node that cannot do it fetch without a proxy. */
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
