#!/usr/bin/env node
// Builds the Node programs, the native backend, the shell and the page into out/, each only when one of its sources is newer than its stamp.
//   node scripts/build.mjs [--node-only]
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const binary = (packageName, file) =>
  join(dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`)), file)
const shared = ['package.json', 'package-lock.json', 'src/shared', 'resources']

/** Order matters: what is built first can be used first. */
const parts = [
  {
    name: 'node',
    sources: [
      'vite.node.config.ts',
      'src/process',
      'src/coordinator',
      'src/worker',
      'src/sensors',
      'src/engine',
      'src/server',
      'src/host',
      'src/cli',
      ...shared,
    ],
    command: [binary('vite', 'bin/vite.js'), 'build', '-c', 'vite.node.config.ts', '--logLevel', 'error'],
  },
  {
    // never fails: without a compiler Lode computes with onnxruntime
    name: 'native',
    sources: ['native', 'scripts/build-native.mjs'],
    command: [join(root, 'scripts/build-native.mjs')],
  },
  {
    name: 'desktop',
    sources: [
      'electron.vite.config.ts',
      'vite.renderer.config.ts',
      'lingui.config.ts',
      'src/main',
      'src/preload',
      'src/renderer',
      'src/process',
      ...shared,
    ],
    command: [binary('electron-vite', 'bin/electron-vite.js'), 'build', '--logLevel', 'error'],
  },
]

/** Milliseconds of the newest file under `path`, 0 when there is none. */
function newest(path) {
  const full = join(root, path)
  if (!existsSync(full)) return 0
  const stat = statSync(full)
  if (!stat.isDirectory()) return stat.mtimeMs
  return readdirSync(full).reduce((latest, entry) => Math.max(latest, newest(join(path, entry))), stat.mtimeMs)
}

function isStale(part) {
  const stamp = join(root, 'out', `.built-${part.name}`)
  if (!existsSync(stamp)) return true
  const builtAt = statSync(stamp).mtimeMs
  return part.sources.some((source) => newest(source) > builtAt)
}

/** Two commands started at once must not build into each other: the second waits. */
function withLock(work) {
  mkdirSync(join(root, 'out'), { recursive: true })
  const lock = join(root, 'out', '.building')
  const deadline = Date.now() + 120_000
  for (;;) {
    try {
      closeSync(openSync(lock, 'wx'))
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      const age = existsSync(lock) ? Date.now() - statSync(lock).mtimeMs : 0
      if (age > 120_000 || Date.now() > deadline) rmSync(lock, { force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  try {
    work()
  } finally {
    rmSync(lock, { force: true })
  }
}

const wanted = parts.filter((part) => !process.argv.includes('--node-only') || part.name !== 'desktop')
if (wanted.some(isStale)) {
  withLock(() => {
    for (const part of wanted.filter(isStale)) {
      const startedAt = new Date()
      console.error(`lode: building ${part.name}`)
      // Lingui advises another transform at every build; why Babel stays is in CONTRIBUTING.md.
      const env = { ...process.env, LINGUI_SUPPRESS_BABEL_WARNING: '1' }
      execFileSync(process.execPath, part.command, { cwd: root, stdio: ['ignore', 2, 2], env })
      const stamp = join(root, 'out', `.built-${part.name}`)
      writeFileSync(stamp, `${startedAt.toISOString()}\n`)
    }
  })
}
