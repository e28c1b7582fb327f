/** `npm run screenshots`: every screen of the real engine at work, dark and light, into docs/screenshots/. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { generateSample } from '#worker/samples/index'
import { chromiumPath, launchChromium } from '../support/browser'
import { lode, realModel, root, startLode, temporaryFolder } from '../support/lode'

const folder = join(root, 'docs/screenshots')
/** Long enough that charts and means have something to show, and that mining has moved on to the large tier. */
const MINING_MILLISECONDS = 100_000

/** For the devices' own means. */
const DEVICES_MILLISECONDS = 30_000

const variants = [
  { suffix: 'dark', scheme: 'dark', width: 1280, height: 800 },
  { suffix: 'light', scheme: 'light', width: 1280, height: 800 },
  { suffix: 'dark-900', scheme: 'dark', width: 900, height: 600 },
] as const

/** The screen that the page shows now, in every variant. */
async function take(page: Page, name: string): Promise<void> {
  for (const { suffix, scheme, width, height } of variants) {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.waitForTimeout(700)
    await page.screenshot({ path: join(folder, `${name}-${suffix}.png`), animations: 'disabled' })
  }
  const [first] = variants
  await page.setViewportSize({ width: first.width, height: first.height })
  console.log(`${name}: ${variants.length} pictures`)
}

const open = async (page: Page, screen: string): Promise<void> => {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: screen }).click()
  await page.waitForTimeout(500)
}

export default async function main(): Promise<void> {
  const chromium = chromiumPath()
  if (chromium === null) {
    console.error('screenshots need Chromium; name it with CHROMIUM_PATH')
    process.exitCode = 1
    return
  }
  mkdirSync(folder, { recursive: true })
  const dataDir = temporaryFolder()
  const engine = startLode(dataDir, ['serve'])
  const link = await new Promise<string>((resolve) =>
    engine.stdout?.once('data', (text: Buffer) => resolve(text.toString().trim())),
  )
  const browser = await launchChromium(chromium)
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' })
  try {
    await page.goto(link)
    await page.getByRole('button', { name: 'Start mining' }).waitFor()
    await take(page, 'home-empty')
    await open(page, 'Jobs')
    await take(page, 'jobs-empty')
    await open(page, 'Earnings')
    await take(page, 'earnings-empty')

    await page.getByRole('button', { name: 'Start mining' }).click()
    await giveWork(dataDir)
    await page.waitForTimeout(MINING_MILLISECONDS)
    await takeAtWork(page)
    await takeDevices(page, dataDir)
  } finally {
    await browser.close()
    engine.kill('SIGTERM')
  }
}

/** Models where they are beside the project, and one job of each kind. */
async function giveWork(dataDir: string): Promise<void> {
  const sample = await generateSample({ kind: 'ocr', seed: '2a'.repeat(32) })
  const picture = join(dataDir, 'picture.png')
  if (sample.input.kind === 'ocr') writeFileSync(picture, Buffer.from(sample.input.image, 'base64'))
  await lode(dataDir, ['job', 'submit', '--kind', 'ocr', '--input', picture])
  for (const name of ['smollm2-135m-instruct-int4', 'all-minilm-l6-v2-int8']) {
    const model = realModel(name)
    if (model !== null) await lode(dataDir, ['models', 'add', model])
  }
  await lode(dataDir, ['job', 'submit', '--kind', 'embed', '--input', '-'], { input: 'gold\nsilver\n' })
  await lode(dataDir, ['job', 'submit', '--kind', 'chat', '--input', '-', '--max-tokens', '48'], {
    input: 'What is the capital of France?',
  })
}

async function takeAtWork(page: Page): Promise<void> {
  await open(page, 'Home')
  await page.getByRole('button', { name: '1 h', exact: true }).click()
  await take(page, 'home-practice')
  await open(page, 'Jobs')
  await page.getByRole('table').first().getByText('chat').first().click()
  await take(page, 'jobs')
  await page.getByRole('button', { name: 'Run a job' }).click()
  await take(page, 'jobs-give-work')
  await page.getByRole('button', { name: 'Close', exact: true }).first().click()
  await open(page, 'Earnings')
  await take(page, 'earnings')
  await open(page, 'Models')
  await take(page, 'models')
  await open(page, 'Settings')
  await take(page, 'settings')
  for (const section of ['Mining', 'Trust', 'About']) {
    await page.getByRole('link', { name: section, exact: true }).click()
    // Trust takes the hashes of what runs here first.
    await page.waitForTimeout(section === 'Trust' ? 4000 : 800)
    await take(page, `settings-${section.toLowerCase()}`)
  }
  await page.getByRole('link', { name: 'Payout', exact: true }).click()
  await page.getByRole('button', { name: 'Set an address' }).click()
  await page.getByLabel('New address').fill('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed')
  await page.getByLabel('Type its last six characters').fill('1BeA')
  await take(page, 'settings-payout')
}

/** The processor beside a device with a driver of its own, both measured and at work. Last: what it adds stays out of the other pictures. */
async function takeDevices(page: Page, dataDir: string): Promise<void> {
  const asic = join(root, 'out/native/drivers/asic-sim')
  await page.keyboard.press('Escape')
  await open(page, 'Devices')
  if (existsSync(asic)) {
    await lode(dataDir, ['drivers', 'add', asic, '--yes'])
    await lode(dataDir, ['bench', '--device', 'asic-sim-asic0'])
  }
  await lode(dataDir, ['bench'])
  await page.waitForTimeout(DEVICES_MILLISECONDS)
  await take(page, 'devices')
  await page.getByText('Drivers', { exact: true }).scrollIntoViewIfNeeded()
  await take(page, 'devices-drivers')
}
