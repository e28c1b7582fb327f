#!/usr/bin/env node
// `npm test`: types, lint, format, then every test. `npm test -- FILTER` runs matching tests only. `npm run faults` runs the long round of faults.
import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const require = createRequire(import.meta.url)
const packageFile = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file)
const run = (file, options, environment = {}) =>
  spawnSync(process.execPath, [file, ...options], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  }).status ?? 1

const options = process.argv.slice(2)
const faults = options.includes('--faults')
const filters = options.filter((option) => option !== '--faults')

if (filters.length === 0 && !faults) {
  const peers = ['--config', 'test/bench/peers/oxlint.json', 'test/bench/peers']
  const checks = [
    { name: 'types', file: packageFile('typescript', 'bin/tsc'), parameters: ['-b'] },
    { name: 'lint', file: packageFile('oxlint', 'bin/oxlint'), parameters: [] },
    { name: 'lint of the peers', file: packageFile('oxlint', 'bin/oxlint'), parameters: peers },
    { name: 'format', file: packageFile('oxfmt', 'bin/oxfmt'), parameters: ['--check', '.'] },
  ]
  for (const { name, file, parameters } of checks) {
    if (run(file, parameters) !== 0) {
      console.error(`lode: ${name} failed`)
      process.exit(1)
    }
  }
}
const vitest = packageFile('vitest', 'vitest.mjs')
process.exit(
  faults
    ? run(vitest, ['run', '--project', 'e2e', 'test/faults', ...filters], {
        LODE_FAULT_ROUNDS: process.env.LODE_FAULT_ROUNDS ?? '100',
      })
    : run(vitest, ['run', ...filters]),
)
