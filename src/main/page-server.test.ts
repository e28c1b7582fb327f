import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FailureValue } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { createPageServer } from './page-server'

describe('what the window may load', () => {
  let folder: string
  let failure: FailureValue | undefined
  let get: (path: string, method?: string) => Promise<Response>
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lode-page-'))
    mkdirSync(join(folder, 'page/assets'), { recursive: true })
    mkdirSync(join(folder, 'page-beside'))
    writeFileSync(join(folder, 'page/index.html'), '<p>page</p>')
    writeFileSync(join(folder, 'page/assets/a b.js'), 'script')
    writeFileSync(join(folder, 'page/program.exe'), 'no')
    writeFileSync(join(folder, 'secret.html'), 'secret')
    writeFileSync(join(folder, 'page-beside/index.html'), 'secret')
    symlinkSync(join(folder, 'secret.html'), join(folder, 'page/link.html'))
    const serve = createPageServer(join(folder, 'page'), () => failure)
    get = (path, method = 'GET') => serve({ url: `app://lode${path}`, method } as Request)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('serves the page’s files with their type and the strict policy', async () => {
    for (const [path, type, body] of [
      ['/', 'text/html; charset=utf-8', '<p>page</p>'],
      ['/index.html#token', 'text/html; charset=utf-8', '<p>page</p>'],
      ['/assets/a%20b.js?v=1', 'text/javascript; charset=utf-8', 'script'],
    ] as const) {
      const answer = await get(path)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe(type)
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self';")
      expect(await answer.text()).toBe(body)
    }
  })

  it.each([
    '/../secret.html',
    '/..%2fsecret.html',
    '/%2e%2e%2fsecret.html',
    '/assets/..%2f..%2fsecret.html',
    '/..%5csecret.html',
    '/../page-beside/index.html',
    '/..%2fpage-beside/index.html',
    '/link.html',
    '/index.html%00',
    '/%',
    '/assets',
    '/program.exe',
    '/missing.html',
  ])('answers 404 to %s', async (path) => {
    const answer = await get(path)
    expect(answer.status).toBe(404)
    expect(await answer.text()).toBe('not found')
  })

  it('refuses other methods, hosts and schemes', async () => {
    const serve = createPageServer(join(folder, 'page'), () => undefined)
    expect((await get('/index.html', 'POST')).status).toBe(403)
    for (const url of ['app://other/index.html', 'http://lode/index.html', 'app://lode:1/index.html']) {
      expect((await serve({ url, method: 'GET' } as Request)).status).toBe(403)
    }
  })

  it('says on its own page why the engine is stopped, as text', async () => {
    failure = {
      code: 'internal',
      words: message('job-model-kind', { model: '<script>alert("$&")</script>', kind: 'chat', wanted: "'here'" }),
    }
    const html = await (await get('/shell/stopped.html')).text()
    expect(html).toContain('&lt;script&gt;alert(&quot;$&amp;&quot;)&lt;/script&gt;')
    expect(html).toContain('Choose a model for &#39;here&#39;.')
    expect(html).not.toContain('<script')
    expect((await get('/shell/stopped.css')).headers.get('content-type')).toBe('text/css; charset=utf-8')
  })
})
