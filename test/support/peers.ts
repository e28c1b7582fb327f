/** What benchmarks compare with has a package of its own, test/bench/peers, which only they install. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lode'

export const peersFolder = join(root, 'test/bench/peers')

/**
 * Installs the peers' package in the versions of its lock file, unless it is there. Takes a minute, and some hundred megabytes.
 * Not by `npm ci`: that wants the binaries of every system in the lock file, which some registries do not have.
 */
export function installPeers(): void {
  if (existsSync(join(peersFolder, 'node_modules/node-llama-cpp/package.json'))) return
  console.log('installing what is compared with, once, into test/bench/peers')
  execFileSync('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: peersFolder,
    stdio: 'inherit',
  })
}
