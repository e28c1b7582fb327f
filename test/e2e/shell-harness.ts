/** What tests of the desktop window need: Electron's binary, a display, and the echo engine built for Electron's Node. */
import { spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { _electron, errors, type ElectronApplication } from 'playwright-core'
import { build } from 'vite'

const root = resolve(import.meta.dirname, '../..')
const require = createRequire(import.meta.url)

/** The binary that the `electron` package resolves, undefined where there is none. Never fetches it. */
export function electronBinary(): string | undefined {
  const folder = dirname(require.resolve('electron/package.json'))
  if (!process.env['ELECTRON_OVERRIDE_DIST_PATH'] && !existsSync(join(folder, 'path.txt'))) return undefined
  const binary = require('electron') as string
  return existsSync(binary) ? binary : undefined
}

/** Why no window can be opened here; undefined where one can. */
export function windowlessReason(): string | undefined {
  if (electronBinary() === undefined)
    return "Electron's binary is not here (ELECTRON_OVERRIDE_DIST_PATH may name a folder that has it)"
  if (!hasDisplay() && !hasVirtualDisplay()) return 'there is no display and no Xvfb'
  return undefined
}

const hasDisplay = (): boolean =>
  process.platform !== 'linux' || Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'])
const hasVirtualDisplay = (): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'Xvfb')))

/** Environment that has a display, started for the test where there is none. */
export async function openDisplay(): Promise<{ environment: Record<string, string>; close: () => void }> {
  if (hasDisplay()) return { environment: {}, close: () => undefined }
  const server: ChildProcess = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const end = (): void => void server.kill()
  process.once('exit', end)
  const number = await new Promise<string>((settle, reject) => {
    server.stdio[3]?.once('data', (chunk: Buffer) => settle(chunk.toString().trim()))
    server.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)))
  })
  return {
    environment: { DISPLAY: `:${number}` },
    close: () => {
      process.off('exit', end)
      end()
    },
  }
}

/** Builds shell, echo engine and echo worker as CommonJS into a new folder. The preload script is the product's own. */
export async function buildEcho(): Promise<{ main: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'lode-echo-'))
  const fixtures = join(root, 'test/fixtures')
  await build({
    configFile: false,
    root,
    publicDir: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: false,
      target: 'node18',
      minify: false,
      rolldownOptions: {
        external: ['electron'],
        input: {
          main: join(fixtures, 'echo-main.ts'),
          'engine-process': join(fixtures, 'echo-engine.ts'),
          worker: join(fixtures, 'echo-worker.ts'),
        },
        output: { format: 'cjs', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'lode', main: 'main.js', type: 'commonjs' }))
  mkdirSync(join(folder, 'page'))
  for (const file of readdirSync(join(fixtures, 'echo-page')))
    copyFileSync(join(fixtures, 'echo-page', file), join(folder, 'page', file))
  return { main: folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export interface LaunchOptions {
  /** folder or file that Electron is started with */
  main: string
  dataDir: string
  environment?: Record<string, string>
}

/** Arguments and environment that start the shell; a second start uses them as they are. */
export function startCommand({ main, dataDir, environment = {} }: LaunchOptions): {
  file: string
  options: string[]
  environment: Record<string, string>
} {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  // Chromium refuses its own sandbox to root, as continuous integration often is; the page's sandbox stays on.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return {
    file: electronBinary() ?? '',
    options: [...sandbox, main, '--data-dir', dataDir],
    environment: { ...inherited, ECHO_PRELOAD: join(root, 'out/preload/index.cjs'), ...environment },
  }
}

/** Playwright sometimes loses a window that opens, and would wait for it in vain: then it is started again, so many times. */
const LAUNCH_MILLISECONDS = 100_000
const LAUNCHES = 3

export async function launch(options: LaunchOptions): Promise<ElectronApplication> {
  const command = startCommand(options)
  for (let attempt = 1; ; attempt++) {
    try {
      return await _electron.launch({
        executablePath: command.file,
        args: command.options,
        env: command.environment,
        timeout: LAUNCH_MILLISECONDS,
      })
    } catch (error) {
      // Playwright has ended the process by then.
      if (!(error instanceof errors.TimeoutError) || attempt === LAUNCHES) throw error
      console.log(`Playwright lost the window of start ${attempt}; it is started again`)
    }
  }
}
