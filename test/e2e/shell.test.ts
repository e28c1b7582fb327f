/** The desktop window with an echo engine: what the page may and may not do, and how engine and workers live and die. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ElectronApplication, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { patient } from '../support/browser'
import { eventually } from '../support/waiting'
import { buildEcho, launch, openDisplay, startCommand, windowlessReason } from './shell-harness'

const reason = windowlessReason()
if (reason !== undefined) console.log(`skipped: tests of the window: ${reason}`)

interface EchoPage {
  echo: { connections: number; ask(order: string, value?: unknown): Promise<unknown> }
  lode: Record<string, unknown>
}
/** Waits for the page's script, and for the engine's answer. */
const ask = async <T>(page: Page, order: string, value?: unknown): Promise<T> => {
  await page.waitForFunction(() => 'echo' in window, undefined, { polling: 50 })
  const answer = page.evaluate(
    ([name, given]) => (window as unknown as EchoPage).echo.ask(name as string, given),
    [order, value],
  )
  return (await answer) as T
}
const connections = (page: Page): Promise<number> =>
  page.evaluate(() => (window as unknown as EchoPage).echo.connections)

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !(existsSync(`/proc/${pid}/stat`) && readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '))
  } catch {
    return false
  }
}
const pidIn = (folder: string, name: string): number => Number(readFileSync(join(folder, name), 'utf8'))
const shows = (page: Page, address: string): Promise<void> =>
  eventually(() => page.url() === address, `the window shows ${address}`)

describe.skipIf(reason !== undefined)('the desktop window', () => {
  let echo: Awaited<ReturnType<typeof buildEcho>>
  let display: Awaited<ReturnType<typeof openDisplay>>
  let dataDir: string
  let running: ElectronApplication | undefined

  beforeAll(async () => {
    display = await openDisplay()
    echo = await buildEcho()
  })
  afterAll(() => {
    echo.remove()
    display.close()
  })
  const prepare = (environment: Record<string, string> = {}): Parameters<typeof launch>[0] => {
    dataDir = mkdtempSync(join(tmpdir(), 'lode-shell-'))
    return { main: echo.main, dataDir, environment: { ...display.environment, ...environment } }
  }
  const start = async (environment?: Record<string, string>): Promise<Page> => {
    running = await launch(prepare(environment))
    return patient(await running.firstWindow())
  }
  afterEach(async () => {
    await running?.close()
    running = undefined
    rmSync(dataDir, { recursive: true, force: true })
  })

  describe('keeps its page in the sandbox', () => {
    it('shows the page from its own scheme with a strict policy, and gives it connect(), the paths of chosen files and nothing else', async () => {
      const page = await start()
      expect(await page.title()).toBe('Echo')
      expect(page.url()).toBe('app://lode/index.html')
      const facts = await page.evaluate(async () => {
        const own = window as unknown as Record<string, unknown>
        const answer = await fetch('/index.html')
        const outside = await fetch('/..%2fmain.js')
        const violations: string[] = []
        window.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective))
        await fetch('http://127.0.0.1:9/').catch(() => undefined)
        const script = document.createElement('script')
        script.textContent = 'window.inline = true'
        document.head.append(script)
        while (violations.length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
        return {
          nodes: ['require', 'process', 'module', 'Buffer', 'electron'].filter((name) => own[name] !== undefined),
          lode: Object.keys(own['lode'] as object),
          policy: answer.headers.get('content-security-policy'),
          outside: outside.status,
          violations,
          inline: own['inline'] ?? null,
        }
      })
      expect(facts).toEqual({
        nodes: [],
        lode: ['connect', 'pathOf'],
        policy: expect.stringMatching(
          /^default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'$/,
        ),
        outside: 404,
        violations: ['connect-src', 'script-src-elem'],
        inline: null,
      })
      const preferences = await running?.evaluate(({ BrowserWindow }) => {
        const window = BrowserWindow.getAllWindows()[0]
        const contents = window?.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }
        const { sandbox, contextIsolation, nodeIntegration } = contents.getLastWebPreferences()
        return {
          sandbox,
          contextIsolation,
          nodeIntegration,
          smallest: window?.getMinimumSize(),
          background: window?.getBackgroundColor(),
        }
      })
      expect(preferences).toEqual({
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        smallest: [900, 600],
        background: expect.stringMatching(/^#(?:EDECE6|111210)$/),
      })
    })

    it('goes nowhere else, opens no second window, and has no permission but copying', async () => {
      const page = await start()
      await running?.evaluate(({ shell }) => {
        shell.openExternal = (address: string) => {
          ;(globalThis as Record<string, unknown>)['opened'] = address
          return Promise.resolve()
        }
      })
      for (const link of ['#foreign', '#blank']) await page.$eval(link, (element) => (element as HTMLElement).click())
      await page.evaluate(() => window.open('file:///etc/hostname'))
      await page.evaluate(() => window.location.assign('app://lode/shell/retry'))
      expect(await ask(page, 'echo', 'still here')).toBe('still here')
      expect(page.url()).toBe('app://lode/index.html')
      expect(running?.windows()).toHaveLength(1)
      expect(await running?.evaluate(() => (globalThis as Record<string, unknown>)['opened'] ?? null)).toBeNull()
      await page.evaluate(() => window.open('https://huggingface.co/'))
      await eventually(
        async () =>
          (await running?.evaluate(() => (globalThis as Record<string, unknown>)['opened'])) ===
          'https://huggingface.co/',
        'a listed link opens outside',
      )
      const states = await page.evaluate(() =>
        Promise.all(
          ['geolocation', 'notifications', 'camera', 'clipboard-read', 'clipboard-write'].map(
            async (name) => (await navigator.permissions.query({ name: name as PermissionName })).state,
          ),
        ),
      )
      expect(states).toEqual(['denied', 'denied', 'denied', 'denied', 'granted'])
    })

    it('ignores a frame that is not the page', async () => {
      const page = await start()
      await ask(page, 'echo', 1)
      const before = await connections(page)
      await running?.evaluate(({ BrowserWindow, ipcMain }) => {
        const other = new BrowserWindow({ show: false })
        ipcMain.emit('lode:connect', { sender: other.webContents, senderFrame: other.webContents.mainFrame })
      })
      expect(await ask(page, 'echo', 2)).toBe(2)
      expect(await connections(page)).toBe(before)
    })

    it('shows the first window when started a second time for the same data folder', async () => {
      await start()
      await running?.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.hide())
      const second = startCommand({ main: echo.main, dataDir, environment: display.environment })
      const child = spawn(second.file, second.options, { env: second.environment, stdio: 'ignore' })
      expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
      await eventually(
        async () =>
          (await running?.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible())) === true,
        'the first window is shown',
      )
      expect(running?.windows()).toHaveLength(1)
    })
  })

  describe.each([
    { name: 'as a utility process', environment: {} as Record<string, string>, host: 'utility', tags: [] },
    {
      name: 'under a Node of its own',
      environment: { LODE_ENGINE_NODE: process.execPath },
      host: 'node',
      tags: ['long'],
    },
  ])('runs the engine $name', ({ environment, host, tags }) => {
    it('gives it the data folder, connects the page, and joins it with its worker', { tags }, async () => {
      const page = await start(environment)
      const started = await ask<{ host: string; dataDir: string; versions: { node: string; electron: string | null } }>(
        page,
        'start',
      )
      expect(started).toMatchObject({ host, dataDir })
      expect(started.versions.electron === null).toBe(host === 'node')
      expect(await ask(page, 'worker-start')).toEqual({ deviceId: 'echo0' })
      expect(await ask(page, 'worker', { text: 'ü', list: [1, 2] })).toEqual({
        echo: { text: 'ü', list: [1, 2] },
        sum: 'bigint 1152921504606846976',
        bytes: [1, 2, 255],
        isBytes: true,
      })
    })

    it('tells it when its worker crashes or is killed', { tags }, async () => {
      const page = await start(environment)
      for (const order of ['crash-worker', 'kill-worker']) {
        const { exit, port, pid } = await ask<{
          exit: { code: number | null; signal: string | null }
          port: string
          pid: number
        }>(page, order)
        expect(exit).toHaveProperty('code')
        expect(port).toBe('closed')
        await eventually(() => !isRunning(pid), 'the worker is gone')
      }
      expect(await ask(page, 'worker-start')).toEqual({ deviceId: 'echo0' })
    })

    it('starts it again after a crash, connects the page again, and leaves no worker behind', { tags }, async () => {
      const page = await start(environment)
      await ask(page, 'worker-start')
      const engine = pidIn(dataDir, 'engine.pid')
      const worker = pidIn(dataDir, 'worker.pid')
      const before = await connections(page)
      void ask(page, 'crash').catch(() => undefined)
      await eventually(async () => (await connections(page)) > before, 'the page is connected again')
      const { pid } = await ask<{ pid: number }>(page, 'start')
      expect(pid).not.toBe(engine)
      await eventually(() => !isRunning(engine) && !isRunning(worker), 'the crashed engine and its worker are gone')
      process.kill(pid, 'SIGKILL')
      await eventually(async () => (await connections(page)) > before + 1, 'the page is connected after SIGKILL')
      expect(await ask(page, 'echo', 'back')).toBe('back')
    })

    it('says so when it keeps stopping, and starts it again on Retry', { tags }, async () => {
      const options = prepare({ ...environment, ECHO_HASTE: '20' })
      writeFileSync(join(dataDir, 'crash-at-start'), '')
      running = await launch(options)
      const page = patient(await running.firstWindow())
      await shows(page, 'app://lode/shell/stopped.html')
      await page.getByText('The engine stopped 5 times within ten minutes').waitFor()
      unlinkSync(join(dataDir, 'crash-at-start'))
      await page.getByRole('link', { name: 'Retry' }).click()
      await shows(page, 'app://lode/index.html')
      expect(await ask(page, 'echo', 'again')).toBe('again')
    })

    it('shows what the engine cannot start with, as text, and what to do', { tags }, async () => {
      const options = prepare(environment)
      writeFileSync(join(dataDir, 'fail-at-start'), '<a> & "b"')
      running = await launch(options)
      const page = patient(await running.firstWindow())
      await shows(page, 'app://lode/shell/stopped.html')
      await page.getByText('The ledger file <a> & "b" is damaged.').waitFor()
      await page.getByText('Stop and start Lode: the file is moved aside as corrupt').waitFor()
      expect(await page.evaluate(() => getComputedStyle(document.body).display)).toBe('grid')
      unlinkSync(join(dataDir, 'fail-at-start'))
      await page.getByRole('link', { name: 'Retry' }).click()
      await shows(page, 'app://lode/index.html')
      expect(await ask(page, 'echo', 'again')).toBe('again')
    })

    it('ends it politely on quit, with everything it started', { tags }, async () => {
      const page = await start(environment)
      await ask(page, 'worker-start')
      const pids = [pidIn(dataDir, 'engine.pid'), pidIn(dataDir, 'worker.pid')]
      await running?.evaluate(({ app }) => void setTimeout(() => app.quit(), 10))
      await eventually(() => !pids.some(isRunning), 'engine and worker are gone')
      expect(readFileSync(join(dataDir, 'ended'), 'utf8')).toBe('politely')
    })

    it('ends the window when a client ends the engine for good', { tags }, async () => {
      const page = await start(environment)
      const { pid } = await ask<{ pid: number }>(page, 'start')
      const gone = new Promise((resolve) => running?.process().once('exit', resolve))
      void ask(page, 'quit').catch(() => undefined)
      expect(await gone).toBe(0)
      expect(readFileSync(join(dataDir, 'ended'), 'utf8')).toBe('politely')
      expect(isRunning(pid)).toBe(false)
    })

    it('leaves nothing running when the shell is killed', { tags }, async () => {
      const page = await start(environment)
      await ask(page, 'worker-start')
      const pids = [pidIn(dataDir, 'engine.pid'), pidIn(dataDir, 'worker.pid')]
      running?.process().kill('SIGKILL')
      running = undefined
      await eventually(() => !pids.some(isRunning), 'engine and worker are gone')
      expect(existsSync(join(dataDir, 'ended'))).toBe(host === 'node')
    })
  })

  it('keeps Chromium’s files in the data folder, and opens when that cannot be written', async () => {
    await start()
    expect(existsSync(join(dataDir, 'window'))).toBe(true)
    await running?.close()
    const options = prepare()
    const file = join(options.dataDir, 'file')
    writeFileSync(file, '')
    mkdirSync(join(options.dataDir, 'x'))
    running = await launch({ ...options, dataDir: join(file, 'under') })
    const page = patient(await running.firstWindow())
    expect(await page.title()).toBe('Echo')
  })
})
