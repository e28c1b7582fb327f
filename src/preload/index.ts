/** The page's only way out of its sandbox: it may ask for a port to the engine. Nothing else of Electron or Node is exposed. */
import { contextBridge, ipcRenderer } from 'electron'

contextBridge.exposeInMainWorld('lode', {
  /**
   * Asks for a port to the engine. It arrives as a window message 'lode:port' with the port in `ports[0]`, as soon as
   * the engine is ready. A window message 'lode:port-closed' says that the engine of that port is gone (ports of older
   * Chromium have no close event); the next engine's port arrives by itself, and replaces it.
   */
  connect: (): void => ipcRenderer.send('lode:connect'),
})

ipcRenderer.on('lode:port', (event) => window.postMessage('lode:port', window.location.origin, [...event.ports]))
ipcRenderer.on('lode:port-closed', () => window.postMessage('lode:port-closed', window.location.origin))
