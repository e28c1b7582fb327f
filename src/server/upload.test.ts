/** The door for files: only with the token, only below its folder. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Handlers } from '#shared/contract/index'
import { startLoopbackServer, type LoopbackServer } from './server'

const SET = '0194f3a2-aaaa-7aaa-8aaa-000000000001'
const folder = mkdtempSync(join(tmpdir(), 'lode-upload-'))
let server: LoopbackServer
beforeAll(async () => {
  server = await startLoopbackServer({
    api: { version: 'test', handlers: {} as Handlers, onEvent: () => () => undefined },
    token: 'the-token',
    port: 0,
    pageFolder: null,
    uploadsFolder: folder,
    logFault: (where, error) => {
      throw new Error(`${where}: ${String(error)}`)
    },
  })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The path goes out as it is: fetch would tidy it. */
function put(path: string, content: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: server.port,
        path,
        method: 'PUT',
        headers: { 'content-type': 'application/octet-stream', authorization: 'Bearer the-token', ...headers },
      },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    sent.once('error', reject)
    sent.end(content)
  })
}

test('a file lands below its set, whole', async () => {
  const large = 'x'.repeat(3_000_000)
  expect(await put(`/upload/${SET}/onnx/model.onnx`, large)).toBe(204)
  expect(readFileSync(join(folder, SET, 'onnx/model.onnx'), 'utf8')).toBe(large)
  // The same place twice is a mistake of the page.
  expect(await put(`/upload/${SET}/onnx/model.onnx`, 'y')).toBe(400)
  expect(readdirSync(folder)).toEqual([])
})

test.each([
  ['without the token', `/upload/${SET}/a`, { authorization: '' }, 401],
  ['with a wrong token', `/upload/${SET}/a`, { authorization: 'Bearer other' }, 401],
  ['out of its folder', `/upload/${SET}/..%2f..%2fa`, {}, 400],
  ['out of its folder by dots', `/upload/${SET}/../../a`, {}, 400],
  ['to a root', `/upload/${SET}/%2fetc/a`, {}, 400],
  ['to a set that is no set', '/upload/..%2f..%2f/a', {}, 400],
  ['from another host name', `/upload/${SET}/a`, { host: 'evil.example' }, 403],
  ['that is no plain bytes', `/upload/${SET}/a`, { 'content-type': 'application/json' }, 400],
])('%s nothing is written', async (_what, path, headers, status) => {
  expect(await put(path, 'content', headers)).toBe(status)
  expect(readdirSync(folder)).toEqual([])
})
