/** Where an installed package lies. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)

/** The package's folder as Node would find it, or null. Packages that do not export their package.json are found too. */
export function packageFolder(name: string): string | null {
  const found = (require.resolve.paths(name) ?? []).map((base) => join(base, name))
  return found.find((folder) => existsSync(join(folder, 'package.json'))) ?? null
}
