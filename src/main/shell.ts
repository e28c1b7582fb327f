/** The desktop shell, put together from its setup. It starts the engine, shows its page, and holds no product logic. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { app, ipcMain, MessageChannelMain, powerMonitor, protocol } from 'electron'
import { systemClock, type Clock } from '#process/clock'
import { fromUtilityPort } from '#process/utility-port'
import type { FailureValue } from '#shared/domain/errors'
import { startNodeEngine } from './engine-node'
import type { Programs } from './engine-process'
import { startUtilityEngine } from './engine-utility'
import { setMenu } from './menu'
import type { ShellOptions } from './options'
import { reportPresence } from './presence'
import { createPageServer, scheme } from './page-server'
import { createEngineSupervisor } from './supervisor'
import { guardSession, openWindow, type MainWindow } from './window'

export interface ShellSetup extends ShellOptions {
  programs: Programs
  /** the built page, with index.html */
  pageFolder: string
  /** the built preload script */
  preload: string
  /** absent: the system's */
  clock?: Clock
}

/** Call once, before Electron is ready. Returns at once; a second start for the same data folder only shows the first one's window. */
export function createShell(setup: ShellSetup): void {
  app.setName('Lode')
  // As root, Chromium runs only without its sandbox: the person who starts Lode so gave --no-sandbox.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])
  if (setup.dataDir !== undefined) app.setPath('userData', windowFolder(setup.dataDir))
  if (!app.requestSingleInstanceLock()) {
    app.quit()
    return
  }

  const clock = setup.clock ?? systemClock
  let main: MainWindow | undefined
  let failure: FailureValue | undefined
  /** the page wants a port and has none yet */
  let pageWaits = false
  let pageConnected = false
  let ended = false
  let presence: { stop(): void } | undefined

  const start = setup.dataDir === undefined ? {} : { dataDir: setup.dataDir }
  const startEngine =
    setup.engineNode === undefined
      ? startUtilityEngine(setup.programs, start)
      : startNodeEngine(setup.engineNode, setup.programs, start)
  const supervisor = createEngineSupervisor(
    { startEngine, clock, random: Math.random },
    {
      onReady: () => {
        connectPage()
        startPresence()
      },
      onStopped: () => {
        if (pageConnected) main?.window.webContents.send('lode:port-closed')
        pageWaits ||= pageConnected
        pageConnected = false
      },
      onGivenUp: (value) => {
        failure = value
        pageWaits = false
        pageConnected = false
        main?.showStopped()
      },
      onQuitAsked: () => app.quit(),
    },
  )

  const connectPage = (): void => {
    if (!main || !pageWaits) return
    const { port1, port2 } = new MessageChannelMain()
    if (!supervisor.connect(port1)) return
    pageWaits = false
    pageConnected = true
    main.window.webContents.postMessage('lode:port', null, [port2])
  }
  const startPresence = (): void => {
    const { port1, port2 } = new MessageChannelMain()
    if (!supervisor.connect(port1)) return
    presence?.stop()
    presence = reportPresence(fromUtilityPort(port2), {
      idleSeconds: () => powerMonitor.getSystemIdleTime(),
      clock,
    })
  }
  const retry = (): void => {
    failure = undefined
    supervisor.retry()
    main?.showPage()
  }
  const open = (): void => {
    main = openWindow(setup.preload, retry)
    main.window.once('closed', () => {
      main = undefined
      pageWaits = false
      pageConnected = false
    })
    if (failure) main.showStopped()
    else main.showPage()
  }
  const show = (): void => {
    if (!main) return open()
    if (main.window.isMinimized()) main.window.restore()
    main.window.show()
    main.window.focus()
  }

  ipcMain.on('lode:connect', (event) => {
    const frame = event.senderFrame
    if (!main || frame !== main.window.webContents.mainFrame || !main.isOwnPage(event.sender, frame.url)) return
    pageWaits = true
    connectPage()
  })
  app.on('second-instance', () => void app.whenReady().then(show))
  app.on('activate', () => void app.whenReady().then(show))
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  app.on('before-quit', (event) => {
    if (ended) return
    event.preventDefault()
    main?.window.hide()
    void supervisor.quit().then(() => {
      ended = true
      app.quit()
    })
  })

  void app.whenReady().then(() => {
    protocol.handle(
      scheme,
      createPageServer(setup.pageFolder, () => failure),
    )
    guardSession()
    setMenu()
    supervisor.start()
    open()
  })
}

/** Chromium's own files live beside the ledger, so that one folder holds everything. The engine reports a folder that cannot be written. */
function windowFolder(dataDir: string): string {
  const folder = join(dataDir, 'window')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  } catch {
    return mkdtempSync(join(tmpdir(), 'lode-window-'))
  }
}
