/** Addresses that a click may open in the person's own browser: model pages, sources and licences. Everything else stays closed. */
const hosts = new Set([
  'github.com',
  'huggingface.co',
  'www.npmjs.com',
  'www.apache.org',
  'opensource.org',
  'creativecommons.org',
])

export function mayOpenOutside(address: string): boolean {
  try {
    const url = new URL(address)
    const isPlain = url.port === '' && url.username === '' && url.password === ''
    return url.protocol === 'https:' && hosts.has(url.hostname) && isPlain
  } catch {
    return false // no address at all
  }
}
