/** What benchmarks compare with has a package of its own, test/bench/peers, which only they install. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from './lode'

export const peersFolder = join(root, 'test/bench/peers')

/** Installs the peers' package as its lock file says, unless it is there. Takes a minute, and some hundred megabytes. */
export function installPeers(): void {
  const { dependencies } = JSON.parse(readFileSync(join(peersFolder, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const there = (name: string): boolean => existsSync(join(peersFolder, 'node_modules', name, 'package.json'))
  if (Object.keys(dependencies).every(there)) return
  console.log('installing what is compared with, once, into test/bench/peers')
  // not "ci": npm 11 wants the programs of other systems in the lock file, which npm 10 does not write there
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['install', ...options], { cwd: peersFolder, stdio: 'inherit' })
}

export interface PeerProcess {
  /** One JSON value a line there, one back. Rejects when the program ends instead. */
  ask(question: unknown): Promise<unknown>
  close(): Promise<void>
}

/** Starts a program of the peers' folder and waits for its first line. */
export async function startPeer(program: string, args: readonly string[]): Promise<PeerProcess> {
  const child = spawn(process.execPath, [join(peersFolder, program), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${program} ended`)
    return JSON.parse(value)
  }
  await next()
  return {
    ask: async (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      return next()
    },
    close: async () => {
      child.stdin.end()
      await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}
