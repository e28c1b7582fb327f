/** What benchmarks compare with has a package of its own, test/bench/peers, which only they install. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lode'

export const peersFolder = join(root, 'test/bench/peers')

/** Installs the peers' package as its lock file says, unless it is there. Takes a minute, and some hundred megabytes. */
export function installPeers(): void {
  if (existsSync(join(peersFolder, 'node_modules/node-llama-cpp/package.json'))) return
  console.log('installing what is compared with, once, into test/bench/peers')
  // not "ci": npm 11 wants the programs of other systems in the lock file, which npm 10 does not write there
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['install', ...options], { cwd: peersFolder, stdio: 'inherit' })
}
