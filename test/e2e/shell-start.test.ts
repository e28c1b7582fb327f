/** `npm start`: the window where there can be one, else the same engine without it, and the reason. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/waiting'
import { openDisplay, windowlessReason } from './shell-harness'

const script = resolve(import.meta.dirname, '../../scripts/start.mjs')
const reason = windowlessReason()
if (reason !== undefined) console.log(`skipped: npm start with a window: ${reason}`)

interface Started {
  child: ChildProcess
  /** everything printed so far */
  output: () => string
  exited: Promise<number | null>
}

describe('npm start', () => {
  let dataDir: string
  let started: Started | undefined
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'lode-start-'))
  })
  afterEach(async () => {
    started?.child.kill('SIGTERM')
    await started?.exited
    started = undefined
    rmSync(dataDir, { recursive: true, force: true })
  })

  const start = (options: string[], environment: Record<string, string | undefined>): Started => {
    const child = spawn(process.execPath, [script, ...options], {
      env: { ...process.env, LODE_DATA_DIR: undefined, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (printed += text))
    started = { child, output: () => printed, exited: new Promise((settle) => child.once('exit', settle)) }
    return started
  }
  const until = (condition: () => boolean, what: string): Promise<void> =>
    eventually(condition, () => `${what}\n${started?.output()}`)
  const enginePid = (): number =>
    (JSON.parse(readFileSync(join(dataDir, 'engine.json'), 'utf8')) as { pid: number }).pid
  const isRunning = (pid: number): boolean => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }

  it.each([
    ['there is no display', [], { DISPLAY: undefined, WAYLAND_DISPLAY: undefined }],
    ['asked for with --headless', ['--headless'], { DISPLAY: ':0' }],
  ])('starts the engine without a window: %s', async (because, options, environment) => {
    if (process.platform !== 'linux' && options.length === 0) return expect(process.platform).not.toBe('linux')
    const { child, output, exited } = start([...options, '--data-dir', dataDir], environment)
    await until(() => /http:\/\/127\.0\.0\.1:\d+\/\S*/.test(output()), 'a link is printed')
    expect(output()).toContain(`lode: starting without a window: ${because}\n`)
    const link = /http:\/\/127\.0\.0\.1:\d+\/\S*/.exec(output())?.[0] ?? ''
    const answer = await fetch(link)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('<title>Lode</title>')
    const pid = enginePid()
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(isRunning(pid)).toBe(false)
    await expect(fetch(link)).rejects.toThrow('fetch failed')
  })

  it('ends with 2 and says which options there are', async () => {
    const { output, exited } = start(['--window'], {})
    expect(await exited).toBe(2)
    expect(output()).toMatch(/^lode: .*--window.*\(options: --data-dir DIR, --headless\)\n$/)
  })

  it.skipIf(reason !== undefined)('opens the window, and ends it with the engine when interrupted', async () => {
    const display = await openDisplay()
    try {
      const { child, output, exited } = start(['--data-dir', dataDir], {
        ...display.environment,
        LODE_ENGINE_NODE: process.execPath,
      })
      await until(() => existsSync(join(dataDir, 'engine.json')), 'the engine runs')
      const pid = enginePid()
      expect(isRunning(pid)).toBe(true)
      expect(existsSync(join(dataDir, 'window'))).toBe(true)
      expect(output()).not.toContain('without a window')
      child.kill('SIGINT')
      expect(await exited).toBe(0)
      expect(isRunning(pid)).toBe(false)
    } finally {
      display.close()
    }
  })

  it.skipIf(reason !== undefined || process.platform !== 'linux')(
    'starts without a window where none can be opened',
    async () => {
      const { output } = start(['--data-dir', dataDir], { DISPLAY: ':987', WAYLAND_DISPLAY: undefined })
      await until(() => /http:\/\/127\.0\.0\.1:\d+\//.test(output()), 'a link is printed')
      expect(output()).toMatch(
        /lode: starting without a window: the window could not be opened \(Electron ended with \d+\)/,
      )
    },
  )
})
