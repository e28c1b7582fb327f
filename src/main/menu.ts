/** A small menu: what a person expects of the keyboard, and nothing of Electron's own. */
import { app, Menu, type MenuItemConstructorOptions } from 'electron'

export function setMenu(): void {
  const isMac = process.platform === 'darwin'
  const quit: MenuItemConstructorOptions = { role: 'quit', label: isMac ? 'Quit Lode' : 'Quit' }
  const edit: MenuItemConstructorOptions = {
    label: 'Edit',
    submenu: [
      { role: 'undo' },
      { role: 'redo' },
      { type: 'separator' },
      { role: 'cut' },
      { role: 'copy' },
      { role: 'paste' },
      { role: 'selectAll' },
    ],
  }
  const development: MenuItemConstructorOptions[] = app.isPackaged
    ? []
    : [{ label: 'View', submenu: [{ role: 'reload' }] }]
  const first: MenuItemConstructorOptions = isMac
    ? {
        label: 'Lode',
        submenu: [
          { role: 'about', label: 'About Lode' },
          { type: 'separator' },
          { role: 'hide', label: 'Hide Lode' },
          { role: 'hideOthers' },
          { role: 'unhide' },
          { type: 'separator' },
          quit,
        ],
      }
    : { label: 'File', submenu: [quit] }
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([first, edit, ...development, ...(isMac ? [{ role: 'windowMenu' } as const] : [])]),
  )
}
