#!/usr/bin/env node
// `npm start [-- --data-dir DIR] [--headless]`: builds what is out of date, then opens the window. Without a display or
// without Electron the same engine starts headless, says why, and prints a link to the same screens.
import './node-version.mjs'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const fetchDeadlineSeconds = 60
/** an Electron that ends this soon with an error could not open its window */
const shortestWindowMilliseconds = 5000

const root = resolve(import.meta.dirname, '..')
const require = createRequire(import.meta.url)
const electronFolder = dirname(require.resolve('electron/package.json'))

const options = readCommandLine()
const dataDir = options['data-dir'] === undefined ? [] : ['--data-dir', resolve(options['data-dir'])]
await import('./build.mjs')
const reason = await openWindow()
console.error(`lode: starting without a window: ${reason}`)
process.exit((await run(process.execPath, [join(root, 'out/node/lode.js'), 'serve', ...dataDir])).code)

function readCommandLine() {
  try {
    return parseArgs({ options: { 'data-dir': { type: 'string' }, headless: { type: 'boolean', default: false } } })
      .values
  } catch (error) {
    console.error(`lode: ${error.message} (options: --data-dir DIR, --headless)`)
    process.exit(2)
  }
}

/** Ends this process when the window's process ends; returns only where no window can be opened, with the reason. */
async function openWindow() {
  if (options.headless) return 'asked for with --headless'
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return 'there is no display'
  if (!process.env.ELECTRON_OVERRIDE_DIST_PATH && !isFetched()) {
    const problem = await fetchElectron()
    if (problem) return problem
  }
  const binary = String(require('electron'))
  if (!existsSync(binary)) return `there is no Electron at ${binary}`
  // As root Chromium runs without its own sandbox or not at all; the page's isolation stays as it is.
  const sandbox = process.platform === 'linux' && process.getuid() === 0 ? ['--no-sandbox'] : []
  const startedAt = Date.now()
  const { code, asked } = await run(binary, [...sandbox, root, ...dataDir])
  if (code === 0 || asked || Date.now() - startedAt > shortestWindowMilliseconds) process.exit(code)
  return `the window could not be opened (Electron ended with ${code})`
}

/** What the electron package itself looks at before it fetches. */
function isFetched() {
  return existsSync(join(electronFolder, 'path.txt')) && existsSync(join(electronFolder, 'dist', 'version'))
}

/** Runs Electron's own installer, which checks what it fetched. Returns what went wrong, if anything. */
async function fetchElectron() {
  const byHand = '"npx install-electron" fetches it without a limit'
  console.error(`lode: fetching Electron for the window, once (about 120 MB, at most ${fetchDeadlineSeconds} s)`)
  const installer = spawn(process.execPath, [join(electronFolder, 'install.js')], { stdio: ['ignore', 2, 'pipe'] })
  let last = ''
  installer.stderr.setEncoding('utf8').on('data', (text) => {
    last = (last + text).slice(-2000)
  })
  const startedAt = Date.now()
  const seconds = () => Math.round((Date.now() - startedAt) / 1000)
  const progress = setInterval(() => console.error(`lode: still fetching Electron, ${seconds()} s`), 10_000)
  let late = false
  const deadline = setTimeout(() => {
    late = true
    installer.kill('SIGKILL')
  }, fetchDeadlineSeconds * 1000)
  const stop = forwardSignals(installer)
  const code = await new Promise((settle) => installer.once('close', settle))
  clearInterval(progress)
  clearTimeout(deadline)
  if (stop()) process.exit(1)
  if (late) return `Electron could not be fetched within ${fetchDeadlineSeconds} s (${byHand})`
  if (code === 0) return undefined
  const error = last.split('\n').find((line) => line.includes('Error')) ?? 'its installer failed'
  return `Electron could not be fetched: ${error.trim()} (${byHand})`
}

/** Runs a program until it ends. It has a process group of its own, so that Ctrl-C reaches it once, through us. */
async function run(file, parameters) {
  const child = spawn(file, parameters, { stdio: 'inherit', detached: process.platform !== 'win32' })
  const stop = forwardSignals(child)
  const [exit, signal] = await new Promise((settle) => {
    child.once('exit', (...how) => settle(how))
    child.once('error', (error) => {
      console.error(`lode: ${error.message}`)
      settle([127, null])
    })
  })
  const asked = stop()
  return { code: exit ?? 128 + constants.signals[signal], asked }
}

/** Passes the first request to end on as SIGTERM; the program ends politely by itself. Returns a function that stops it and says whether it was asked. */
function forwardSignals(child) {
  let asked = false
  const forward = () => {
    if (!asked) child.kill('SIGTERM')
    asked = true
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  return () => {
    for (const signal of signals) process.off(signal, forward)
    return asked
  }
}
