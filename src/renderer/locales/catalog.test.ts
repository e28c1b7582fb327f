import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'lode-messages-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Identifiers of a catalog that are in use. */
const identifiers = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split(/\n\n/)
    .filter((entry) => !entry.includes('#~') && !entry.includes('X-Generator'))
    .map((entry) => /^msgid ((?:.|\n)*?)^msgstr/m.exec(entry)?.[1] ?? '')
    .filter((identifier) => identifier !== '')
    .toSorted()

describe('the catalog of texts', () => {
  it('has every text of the screens: after a change, npm run messages', () => {
    const config = join(folder, 'lingui.config.mjs')
    writeFileSync(
      config,
      `import config from ${JSON.stringify(join(root, 'lingui.config.ts'))}
       const [{ include }] = config.catalogs
       const catalogs = [{ path: ${JSON.stringify(join(folder, '{locale}'))}, include: include.map((part) => \`${root}/\${part}\`) }]
       export default { ...config, rootDir: ${JSON.stringify(root)}, catalogs }`,
    )
    const program = join(dirname(createRequire(import.meta.url).resolve('@lingui/cli')), 'lingui.js')
    execFileSync(process.execPath, [program, 'extract', '--config', config], { cwd: root, stdio: 'pipe' })
    const fresh = identifiers(join(folder, 'en.po'))
    expect(fresh.length).toBeGreaterThan(200)
    expect(fresh.filter((identifier) => !identifiers(join(import.meta.dirname, 'en.po')).includes(identifier))).toEqual(
      [],
    )
  })
})
