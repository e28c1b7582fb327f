/** The page's only way out of its sandbox: it may ask for a port to the engine. Beside that it gives the paths of files that somebody chose. */
import { contextBridge, ipcRenderer, webUtils } from 'electron'

contextBridge.exposeInMainWorld('lode', {
  /**
   * Asks for a port to the engine. It arrives as a window message 'lode:port' with the port in `ports[0]`, as soon as
   * the engine is ready. A window message 'lode:port-closed' says that the engine of that port is gone (ports of older
   * Chromium have no close event); the next engine's port arrives by itself, and replaces it.
   */
  connect: (): void => ipcRenderer.send('lode:connect'),
  /** The path of a file that somebody chose or dropped, so that the engine reads it where it is. Older versions of Electron have no such call. */
  pathOf: (file: File): string => (webUtils as typeof webUtils | undefined)?.getPathForFile(file) ?? '',
})

ipcRenderer.on('lode:port', (event) => window.postMessage('lode:port', window.location.origin, [...event.ports]))
ipcRenderer.on('lode:port-closed', () => window.postMessage('lode:port-closed', window.location.origin))
