#!/usr/bin/env node
// `npm test`: types, lint, format, then every test that is not tagged `long`. `npm run test:all`: the long ones too.
// `npm test -- FILTER` runs matching files only. `npm run faults` runs the rounds of faults, `LODE_FAULT_ROUNDS` of them.
import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const require = createRequire(import.meta.url)
const packageFile = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file)
const run = (file, options) =>
  spawnSync(process.execPath, [file, ...options], { cwd: root, stdio: 'inherit' }).status ?? 1

const [tier, ...rest] = process.argv.slice(2)
const isAll = tier === '--all'
const isFaults = tier === '--faults'
const filters = isAll || isFaults ? rest : process.argv.slice(2)

if (filters.length === 0 && !isFaults) {
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
const wanted = isFaults ? ['test/faults', ...filters] : filters
const tags = isAll || isFaults ? [] : ['--tags-filter=!long']
process.exit(run(packageFile('vitest', 'vitest.mjs'), ['run', ...tags, ...wanted]))
