/** The one window: sandboxed, shows only our own pages, and lets nothing else in. */
import { BrowserWindow, nativeTheme, session, shell, type WebContents } from 'electron'
import { mayOpenOutside } from './external-links'
import { origin, pageAddress, retryAddress, stoppedAddress } from './page-server'

/** the page's own background in its two themes, so that nothing flashes before it is drawn */
const background = (): string => (nativeTheme.shouldUseDarkColors ? '#111210' : '#edece6')

export interface MainWindow {
  readonly window: BrowserWindow
  showPage(): void
  showStopped(): void
  /** true for the page's main frame and nobody else */
  isOwnPage(sender: WebContents, address: string | undefined): boolean
}

export function openWindow(preload: string, onRetry: () => void): MainWindow {
  const window = new BrowserWindow({
    title: 'Lode',
    width: 1280,
    height: 800,
    minWidth: 900,
    minHeight: 600,
    show: false,
    autoHideMenuBar: true,
    backgroundColor: background(),
    // The spell checker would fetch dictionaries from the network.
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  })
  const follow = (): void => window.setBackgroundColor(background())
  nativeTheme.on('updated', follow)
  window.once('closed', () => nativeTheme.off('updated', follow))
  window.once('ready-to-show', () => window.show())
  guardNavigation(window, onRetry)

  // A page that crashes is loaded again; one that keeps crashing is left as it is, for the menu's Reload or the next start.
  let crashedAt = Number.NEGATIVE_INFINITY
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    const now = Date.now()
    if (reason !== 'clean-exit' && now - crashedAt > 10_000) window.webContents.reload()
    crashedAt = now
  })

  // A load that another one replaces rejects; what is shown is the newer one.
  const load = (address: string): void => void window.loadURL(address).catch(() => undefined)
  return {
    window,
    showPage: () => load(pageAddress),
    showStopped: () => load(stoppedAddress),
    isOwnPage: (sender, address) =>
      sender === window.webContents &&
      address !== undefined &&
      address.startsWith(`${origin}/`) &&
      !address.startsWith(`${origin}/shell/`),
  }
}

/** Once, before the first window: no permission but copying, no device, nothing from the network. */
export function guardSession(): void {
  const own = session.defaultSession
  const isAllowed = (permission: string, address: string): boolean =>
    permission === 'clipboard-sanitized-write' && (address === origin || address.startsWith(`${origin}/`))
  own.setPermissionRequestHandler((_contents, permission, answer, details) =>
    answer(isAllowed(permission, details.requestingUrl)),
  )
  own.setPermissionCheckHandler((_contents, permission, requestingOrigin) => isAllowed(permission, requestingOrigin))
  own.setDevicePermissionHandler(() => false)
  own.webRequest.onBeforeRequest((details, answer) => {
    answer({ cancel: !/^(?:app|blob|data|devtools):/.test(details.url) })
  })
  own.on('will-download', (event, item) => {
    if (!item.getURL().startsWith(`blob:${origin}/`)) event.preventDefault()
  })
}

function guardNavigation(window: BrowserWindow, onRetry: () => void): void {
  const contents = window.webContents
  contents.setWindowOpenHandler(({ url }) => {
    if (mayOpenOutside(url)) void shell.openExternal(url)
    return { action: 'deny' }
  })
  contents.on('will-navigate', (event, url) => {
    event.preventDefault()
    if (url === retryAddress && contents.getURL() === stoppedAddress) onRetry()
    else if (mayOpenOutside(url)) void shell.openExternal(url)
  })
  contents.on('will-redirect', (event) => event.preventDefault())
  contents.on('will-attach-webview', (event) => event.preventDefault())
}
