/** The whole walk with the real engine: in headless Chromium, and in the real Electron window. */
import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Browser } from 'playwright-core'
import { ggufBytes, tinyModel } from '#worker/convert/sources/gguf.test.support'
import { generateSample } from '#worker/samples/index'
import { chromiumPath, launchChromium, patient } from '../support/browser'
import { lode, processesMentioning, realModel, root, startLode, temporaryFolder } from '../support/lode'
import { eventually } from '../support/waiting'
import { launch, openDisplay, windowlessReason } from './shell-harness'
import { walk, type WalkParts } from './walk'

const models = ['smollm2-135m-instruct-int4', 'all-minilm-l6-v2-int8'].map(realModel)
const hasModels = models.every((folder) => folder !== null)
if (!hasModels) console.log('skipped: chat and embeddings in the walk: the real models are not beside the project')

const children = new Set<ChildProcess>()
const started = (child: ChildProcess): ChildProcess => {
  children.add(child)
  return child
}
// A walk that fails half way must not leave its engine mining.
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})

let picture: WalkParts['picture']
let model: WalkParts['model']
beforeAll(async () => {
  const sample = await generateSample({ kind: 'ocr', seed: '17'.repeat(32) })
  if (sample.input.kind !== 'ocr') throw new Error('not a picture')
  const file = join(temporaryFolder(), 'picture.png')
  writeFileSync(file, Buffer.from(sample.input.image, 'base64'))
  picture = { file, lines: sample.knownText ?? [] }
  const shape = { family: 'qwen2', layers: 1, width: 64, hidden: 64, heads: 1, keyValueHeads: 1, headSize: 64 } as const
  const { metadata, tensors } = tinyModel(shape, 8, 5)
  model = { file: join(temporaryFolder(), 'Brought-Along.gguf'), name: 'Tiny qwen2' }
  writeFileSync(model.file, ggufBytes(metadata, tensors))
})

async function preparedFolder(): Promise<string> {
  const dataDir = temporaryFolder()
  for (const folder of models) {
    if (folder !== null) expect((await lode(dataDir, ['models', 'add', folder])).code).toBe(0)
  }
  return dataDir
}

/** The ledger after the walk: in order, and every kind of work that was given is in it once. */
async function checkBooks(dataDir: string): Promise<void> {
  const report = await lode(dataDir, ['ledger', 'verify', '--json'])
  expect(report.json()).toMatchObject({ ok: true, problems: [] })
  const credits = (await lode(dataDir, ['ledger', 'export'])).lines()
  expect(credits.some(({ kind, state }) => kind === 'share' && state === 'accepted')).toBe(true)
  expect(credits.filter(({ kind, state }) => kind === 'job' && state === 'accepted').length).toBeGreaterThanOrEqual(
    hasModels ? 3 : 1,
  )
  const address = await lode(dataDir, ['address', 'show', '--json'])
  expect(address.json()).toMatchObject({ type: 'evm' })
}

const chromium = chromiumPath()
if (chromium === null) console.log('skipped: the walk in a browser: there is no Chromium')

describe.skipIf(chromium === null)('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium(chromium ?? '')
  })
  afterAll(() => browser.close())

  test('from the printed link to credit, work, address and stop; and again after kill -9', async () => {
    const dataDir = await preparedFolder()
    const serve = async () => {
      const child = started(startLode(dataDir, ['serve']))
      const link = await new Promise<string>((resolve) =>
        child.stdout?.once('data', (text: Buffer) => resolve(text.toString().trim())),
      )
      return { child, link }
    }
    const first = await serve()
    const page = patient(await browser.newPage())
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text())
    })
    await page.goto(first.link)
    expect(page.url()).not.toContain('token')
    await walk({ page, picture, model, hasModels })
    expect(faults).toEqual([])
    first.child.kill('SIGKILL')
    await eventually(() => processesMentioning(dataDir).length === 0, 'the killed engine left nothing behind')

    const second = await serve()
    await page.goto(second.link)
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Earnings' }).click()
    await page.getByRole('button', { name: 'Verify now' }).click()
    await page
      .getByText(/in order/)
      .first()
      .waitFor()
    second.child.kill('SIGTERM')
    await eventually(() => processesMentioning(dataDir).length === 0, 'nothing left running')
    await page.close()
    await checkBooks(dataDir)
  })

  test('without the token there is no way in, and the page says what to do', async () => {
    const dataDir = temporaryFolder()
    const child = started(startLode(dataDir, ['serve']))
    const link = await new Promise<string>((resolve) =>
      child.stdout?.once('data', (text: Buffer) => resolve(text.toString().trim())),
    )
    const page = patient(await browser.newPage())
    await page.goto(link.replace(/#.*/, ''))
    await page
      .getByText(/link that Lode printed/)
      .first()
      .waitFor()
    expect(await page.getByRole('button', { name: 'Start mining' }).count()).toBe(0)
    child.kill('SIGTERM')
    await page.close()
  })
})

const windowless = windowlessReason()
if (windowless !== undefined) console.log(`skipped: the walk in the window: ${windowless}`)

describe.skipIf(windowless !== undefined)('in the desktop window', () => {
  test('the same walk with the engine as a child of Node', { tags: ['long'] }, async () => {
    const dataDir = await preparedFolder()
    const display = await openDisplay()
    const app = await launch({
      main: root,
      dataDir,
      environment: { ...display.environment, LODE_ENGINE_NODE: process.execPath },
    })
    try {
      const page = patient(await app.firstWindow())
      await walk({ page, picture, model, hasModels })
      const status = await lode(dataDir, ['status', '--json'])
      expect(status.json()).toMatchObject({ mining: false, pid: expect.any(Number) as number })
    } finally {
      await app.close()
      display.close()
    }
    await eventually(() => processesMentioning(dataDir).length === 0, 'nothing left running')
    await checkBooks(dataDir)
  })
})
