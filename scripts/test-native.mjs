#!/usr/bin/env node
// `npm run test:native [-- CALLS]`: the CPU driver through its C interface under the address and undefined-behaviour
// sanitizers: the vectors on every path that this processor has, wrong arguments, cancellation, and CALLS random calls.
import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const build = join(root, 'out', 'native', 'sanitized')
const [calls = '20000'] = process.argv.slice(2)
const tiers = { 'itp1-test': '256 2 16', 'itp1-small': '256 12 32' }

mkdirSync(build, { recursive: true })
const vectorFile = join(build, 'vectors.txt')
writeFileSync(vectorFile, vectorLines().join(''))
run('cmake', ['-S', join(root, 'native'), '-B', build, '-DLODE_SANITIZE=ON', '-DCMAKE_BUILD_TYPE=RelWithDebInfo'])
run('cmake', ['--build', build, '--target', 'driver_test', '--parallel', '2'])
run(join(build, 'driver_test'), [vectorFile, calls])

/** The largest tier is left to the tests of the addon: the sanitizers make it slow and see nothing new in it. */
function vectorLines() {
  const { cases } = JSON.parse(readFileSync(join(root, 'test/fixtures/itp1-vectors.json'), 'utf8'))
  return cases
    .filter(({ tier }) => tier in tiers)
    .map(({ tier, epoch, publicKey, nonce, digest }) => {
      const header = createHash('sha256')
        .update('itp1/header/')
        .update(Buffer.from(epoch + publicKey, 'hex'))
        .digest('hex')
      return `${tiers[tier]} ${epoch} ${header} ${nonce} ${digest}\n`
    })
}

function run(program, parameters) {
  const { status, error } = spawnSync(program, parameters, { stdio: 'inherit' })
  if (error) console.error(`lode: ${program}: ${error.message}`)
  if (status !== 0) process.exit(1)
}
