/** What the window may load: the built page and the shell's own page, under app://lode/ with a strict policy. No Electron in here. */
import { readFile, realpath } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import type { FailureValue } from '#shared/domain/errors'
import { inEnglish, message } from '#shared/domain/messages'
import stoppedStyle from './pages/stopped.css?raw'
import stoppedPage from './pages/stopped.html?raw'

export const scheme = 'app'
export const origin = 'app://lode'
export const pageAddress = `${origin}/index.html`
export const stoppedAddress = `${origin}/shell/stopped.html`
/** Following this link on the stopped page asks the shell to start the engine again. */
export const retryAddress = `${origin}/shell/retry`

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
}

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
}

/**
 * Answers GET requests for app://lode/… from `pageFolder`; nothing outside of it can be reached, neither by dots nor by
 * links. `stopped` says why the engine is stopped, for the shell's own page.
 */
export function createPageServer(
  pageFolder: string,
  stopped: () => FailureValue | undefined,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url)
    if (request.method !== 'GET' || url.protocol !== `${scheme}:` || url.host !== 'lode')
      return text(403, 'not allowed')
    if (url.pathname === '/shell/stopped.html') return page(fillIn(stoppedPage, stopped()))
    if (url.pathname === '/shell/stopped.css') return new Response(stoppedStyle, withType('.css'))
    const file = await fileInside(pageFolder, url.pathname)
    const extension = file === undefined ? '' : extname(file)
    if (file === undefined || !(extension in contentTypes)) return text(404, 'not found')
    return new Response(await readFile(file), withType(extension))
  }
}

const withType = (extension: string): ResponseInit => ({
  status: 200,
  headers: { ...headers, 'content-type': contentTypes[extension] ?? 'text/plain' },
})
const page = (html: string): Response => new Response(html, withType('.html'))
const text = (status: number, body: string): Response =>
  new Response(body, { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' } })

/** The real path of `pathname` inside `folder`; undefined where there is no such file or it lies outside. */
async function fileInside(folder: string, pathname: string): Promise<string | undefined> {
  try {
    const path = decodeURIComponent(pathname === '/' ? '/index.html' : pathname)
    if (path.includes('\0') || path.includes('\\')) return undefined
    const root = await realpath(folder)
    const file = await realpath(join(root, path))
    return file.startsWith(root + sep) ? file : undefined
  } catch {
    return undefined // malformed escape, or no such file
  }
}

function fillIn(template: string, failure: FailureValue | undefined): string {
  const words = failure?.words ?? message('engine-not-running')
  return template
    .replace('{{message}}', () => escapeHtml(inEnglish.text(words)))
    .replace('{{action}}', () => escapeHtml(inEnglish.action(words)))
}

function escapeHtml(value: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return value.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
