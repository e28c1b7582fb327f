/** The Devices screen over a real engine: a driver approved, a benchmark watched and cancelled, levels by keyboard, a quarantine and the way back. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { throttle } from '#shared/contract/throttle'
import { chromiumPath, launchChromium, patient } from '../support/browser'
import { finished, lode, root, startLode, temporaryFolder } from '../support/lode'
import { eventually } from '../support/waiting'
import { answerOf, benchAnswer, benchVerifyAnswer } from './cli-schemas'

const asic = join(root, 'out/native/drivers/asic-sim')
const executablePath = chromiumPath()

describe.skipIf(executablePath === null || !existsSync(asic))('the Devices screen', () => {
  const dataDir = temporaryFolder()
  const engine = { stop: async (): Promise<void> => undefined }
  let browser: Browser
  let page: Page
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true })

  beforeAll(async () => {
    const serving = startLode(dataDir, ['serve'])
    const link = new Promise<string>((resolve) =>
      serving.stdout?.once('data', (text: Buffer) => resolve(text.toString().trim())),
    )
    const ended = finished(serving)
    engine.stop = async () => {
      serving.kill('SIGTERM')
      await ended
    }
    browser = await launchChromium(executablePath ?? '')
    page = patient(await browser.newPage({ viewport: { width: 1280, height: 1200 }, reducedMotion: 'reduce' }))
    await page.goto(await link)
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Devices' }).click()
    await page.getByText('No drivers added').waitFor()
  })
  afterAll(async () => {
    await browser?.close()
    await engine.stop()
  })

  test('adds a driver after name and hash were approved', async () => {
    await button('Add a driver').click()
    await page.getByLabel('Folder on the computer that mines').fill('/no/such/folder')
    await button('Look at it').click()
    await page.getByRole('alert').waitFor()
    await page.getByLabel('Folder on the computer that mines').fill(asic)
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Lode (simulated)').waitFor()
    await dialog.getByText(/^[0-9a-f]{64}$/).waitFor()
    await button('Approve and add').click()
    await page.getByRole('row', { name: /Simulated ASIC/ }).waitFor()
    await page.getByText('ready', { exact: true }).waitFor()
    expect(existsSync(join(dataDir, 'drivers/asic-sim/driver.json'))).toBe(true)
  })

  test('shows a benchmark with the time left, ends it at once, and keeps one that ended by itself', async () => {
    await button('Simulated ASIC').click()
    await page.getByLabel('Tier').selectOption('itp1-small')
    await page.getByLabel('What to run').selectOption('10')
    await button('Run').click()
    await page.getByText(/^Stress test: \d[\d,]* digests checked$/).waitFor()
    await page.getByText(/^(10:00|9:\d\d) left$/).waitFor()
    await button('Cancel').click()
    await page.getByText('The benchmark was cancelled.').waitFor()
    await page.getByLabel('What to run').selectOption('benchmark')
    await button('Run').click()
    await page.getByText('matches the reference').waitFor()
    const row = page.getByRole('table', { name: 'Benchmarks' }).getByRole('row').nth(1)
    expect(await row.innerText()).toMatch(/itp1-small[\s\S]*native[\s\S]*measured[\s\S]*limit 80 W[\s\S]*asic-sim 1\.0/)
    const [saved] = await Promise.all([page.waitForEvent('download'), button(/^Export the benchmark/).click()])
    const file = join(dataDir, 'saved.json')
    await saved.saveAs(file)
    expect(answerOf(benchVerifyAnswer, await lode('', ['bench', '--verify', file, '--json']))).toMatchObject({
      ok: true,
    })
  })

  test('changes levels by keyboard', async () => {
    const slider = page.getByRole('slider', { name: "While you're using the computer: share of time mining" })
    await slider.focus()
    for (let step = 0; step < 14; step++) await page.keyboard.press('ArrowLeft')
    expect(await slider.getAttribute('aria-valuetext')).toBe('30 %')
    await page.getByRole('switch', { name: 'Use a separate level at night' }).click()
    await page.getByLabel('Night begins').fill('25:00')
    expect(await page.getByLabel('Night begins').getAttribute('aria-invalid')).toBe('true')
    await page.getByLabel('Night begins').fill('23:30')
    await eventually(async () => {
      const now = answerOf(throttle, await lode(dataDir, ['throttle', '--json']))
      return now.inUse.dutyCycle === 0.3 && now.night?.from === '23:30'
    }, 'the levels')
  })

  test('says which device computes wrong results, and tries it again', async () => {
    const fault = join(dataDir, 'drivers/asic-sim/asic-sim.fault')
    writeFileSync(fault, 'wrong-digest')
    await button('Run').click()
    await page.getByText('wrong results', { exact: true }).waitFor()
    await page
      .getByText(/^Quarantined: .*this device computes wrong results/)
      .first()
      .waitFor()
    await page.getByRole('alert').filter({ hasText: 'Simulated ASIC does not mine until it is tried again.' }).waitFor()
    const history = answerOf(z.array(benchAnswer), await lode(dataDir, ['bench', '--history', '--json']))
    expect(history.map(({ checksum }) => checksum)).toEqual(['mismatch', 'ok'])
    writeFileSync(fault, '')
    await page
      .getByRole('region', { name: 'Simulated ASIC', exact: true })
      .getByRole('button', { name: 'Retry' })
      .click()
    await button('Run').waitFor()
    await button('Remove asic-sim').click()
    await button('Remove it').click()
    await page.getByText('No drivers added').waitFor()
  })
})
