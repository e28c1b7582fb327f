/** What a new user does, step by step, on whatever shows the screens: a browser's page or the desktop window. */
import { expect } from 'vitest'
import type { Page } from 'playwright-core'

export interface WalkParts {
  page: Page
  /** a drawn picture and the lines in it */
  picture: { file: string; lines: readonly string[] }
  /** whether models for chat and embeddings were added */
  hasModels: boolean
  /** a GGUF file of a small model, and its name */
  model: { file: string; name: string }
}

const EVM_ADDRESS = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed' // EIP-55's own example

const link = (page: Page, name: string) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name })
const status = (page: Page) => page.getByRole('status').first()

/** One click from nothing to credit; then the three kinds of work, the address, and Stop. */
export async function walk(parts: WalkParts): Promise<void> {
  const { page } = parts
  await status(page).getByText('Not mining').waitFor()
  await page.getByRole('button', { name: 'Start mining' }).click()
  await status(page)
    .getByText(/^Mining on/)
    .waitFor()
  await page.getByText('no market value').first().waitFor()

  await link(page, 'Earnings').click()
  await page.getByText('recomputed').first().waitFor()

  await giveWork(parts)
  await bringModel(parts)
  await payoutAddress(page)

  await link(page, 'Devices').click()
  await page
    .getByText(/native|onnx-cpu/)
    .first()
    .waitFor()
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await status(page).getByText('Not mining').waitFor()
}

async function giveWork({ page, picture, hasModels }: WalkParts): Promise<void> {
  await link(page, 'Jobs').click()
  await page.getByRole('button', { name: 'Run a job' }).click()
  await page.getByLabel('Picture').setInputFiles(picture.file)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  const dialog = page.getByRole('dialog')
  for (const line of picture.lines) await dialog.getByRole('listitem').filter({ hasText: line }).first().waitFor()
  if (hasModels) {
    await page.getByRole('button', { name: 'Run another' }).click()
    await page.getByRole('button', { name: 'Ask', exact: true }).click()
    await dialog.getByRole('textbox').first().fill('What is the capital of France?')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await dialog.getByText(/Paris/).first().waitFor()
    await dialog.getByText('done', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Run another' }).click()
    await page.getByRole('button', { name: 'Embed texts' }).click()
    await dialog.getByRole('textbox').first().fill('a text about mining\nanother text')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await dialog.getByText('384 dimensions').waitFor()
  }
  await page.getByRole('button', { name: 'Close', exact: true }).first().click()
  await page.getByRole('table').first().getByText('ocr').first().waitFor()
}

/**
 * In a page the file is sent to the engine, in the window its path: both end with a model that is there, and that answers.
 * Dropped from the system's own files; chosen again it is found, not made again; and removed by keyboard alone.
 */
async function bringModel({ page, model }: WalkParts): Promise<void> {
  await link(page, 'Models').click()
  await dropFile(page, model.file)
  const row = page.getByRole('table', { name: 'Installed models' }).getByRole('row').filter({ hasText: model.name })
  await row.getByText('hash counted here').waitFor()
  const ready = page.getByLabel('Messages').getByText(`${model.name} is ready`)
  await page.getByRole('button', { name: 'Dismiss' }).last().click()
  await ready.waitFor({ state: 'detached' })

  await link(page, 'Jobs').click()
  await page.getByRole('button', { name: 'Run a job' }).click()
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await dialog.getByLabel('Model').selectOption({ label: model.name })
  await dialog.getByLabel('At most').fill('4')
  await dialog.getByLabel('Question or text').fill('abc 42')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await dialog.getByText('done', { exact: true }).first().waitFor()
  await page.getByRole('button', { name: 'Close', exact: true }).first().click()

  await link(page, 'Models').click()
  await page.getByLabel('Choose files').setInputFiles(model.file)
  await ready.waitFor()
  await row.getByRole('button', { name: `Remove ${model.name}` }).focus()
  const focused = () =>
    page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent)
  await page.keyboard.press('Enter')
  expect(await focused()).toBe('Keep')
  await page.keyboard.press('Escape')
  expect(await focused()).toBe(`Remove ${model.name}`)
  await page.keyboard.press('Enter')
  await page.keyboard.press('Shift+Tab')
  expect(await focused()).toBe(`Delete ${model.name}`)
  await page.keyboard.press('Enter')
  await row.waitFor({ state: 'detached' })
  expect(await focused()).toBe('Installed')
}

/** As the system drops a file: the page gets it from Chromium, not from a script. */
async function dropFile(page: Page, file: string): Promise<void> {
  const place = page.getByText('Drop a GGUF, safetensors or ONNX file here')
  await place.scrollIntoViewIfNeeded()
  const box = await place.boundingBox()
  if (box === null) throw new Error('there is no place to drop a file')
  const session = await page.context().newCDPSession(page)
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  const data = { items: [], files: [file], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, ...at, data })
  await session.detach()
}

async function payoutAddress(page: Page): Promise<void> {
  await link(page, 'Settings').click()
  await page.getByRole('link', { name: 'Payout' }).click()
  await page.getByRole('button', { name: 'Set an address' }).click()
  const address = page.getByLabel('New address')
  await address.fill(EVM_ADDRESS.replace('5aAe', '5aAE'))
  await expect.poll(() => address.getAttribute('aria-invalid')).toBe('true')
  await expectChange(page, false)
  await address.fill(EVM_ADDRESS)
  await page.getByLabel('Type its last six characters').fill('1bEAeD')
  await page.getByText('These are not the last six characters').waitFor()
  await expectChange(page, false)
  await page.getByLabel('Type its last six characters').fill('1BeAed')
  await page.getByText('They match').waitFor()
  await expectChange(page, true)
  await page.getByRole('button', { name: 'Use this address' }).click()
  await page.getByText(EVM_ADDRESS.slice(-6)).first().waitFor()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
}

async function expectChange(page: Page, enabled: boolean): Promise<void> {
  const button = page.getByRole('button', { name: 'Use this address' })
  expect(await button.isEnabled()).toBe(enabled)
}
