/** The screens alone, over generated data: what each state shows, by role and name, under the strict policy and with axe. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { jobStates } from '#shared/domain/states'
import { chromiumPath, launchChromium, patient } from '../support/browser'
import type { Scene } from '../support/sample-data'
import { startSampleEngine, type SampleEngine } from '../support/sample-engine'

const root = resolve(import.meta.dirname, '../../out/renderer')
const executablePath = chromiumPath()
if (executablePath === null) console.log('screens: skipped, there is no Chromium (CHROMIUM_PATH may name one)')
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const SCREENS = ['home', 'devices', 'jobs', 'earnings', 'settings', 'models', 'settings/payout', 'settings/trust']

let browser: Browser | undefined
const engines: SampleEngine[] = []
const complaints: string[] = []

beforeAll(async () => {
  if (executablePath !== null) browser = await launchChromium(executablePath)
})
afterAll(async () => {
  await browser?.close()
})
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close()
  for (const engine of engines.splice(0)) await engine.close()
  complaints.length = 0
})

function opened(): Browser {
  if (!browser) throw new Error('no browser was opened')
  return browser
}

const newContext = async (options?: BrowserContextOptions): Promise<BrowserContext> =>
  patient(await opened().newContext(options))

async function open(scene: Scene, options: { width?: number; height?: number; dark?: boolean } = {}): Promise<Page> {
  const engine = await startSampleEngine({ root, scene })
  engines.push(engine)
  const context = await newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    locale: 'en-US',
  })
  const page = await context.newPage()
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(engine.url)
  return page
}

const show = async (page: Page, screen: string): Promise<void> => {
  await page.evaluate((target) => {
    window.location.hash = `#/${target}`
  }, screen)
  const [main = screen] = screen.split('/')
  for (const shown of new Set([main, screen])) await page.locator(`a[aria-current=page][href="#/${shown}"]`).waitFor()
  await page.locator('h1').first().waitFor()
}

/** Shows a screen with all that it asks the engine for. */
const goTo = async (page: Page, screen: string): Promise<void> => {
  await show(page, screen)
  await page.waitForFunction(() => document.querySelector('.load') === null)
}

async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { target: unknown[] }[] }[] }> }
    }
    const { violations } = await axe.run()
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => String(node.target[0])).join(' | ')}`)
  })
}

describe.skipIf(executablePath === null)('the screens', () => {
  const looks: { scene: Scene; dark: boolean; tags: string[] }[] = [
    { scene: 'mining', dark: true, tags: [] },
    { scene: 'mining', dark: false, tags: ['long'] },
    { scene: 'empty', dark: true, tags: ['long'] },
    { scene: 'empty', dark: false, tags: [] },
    { scene: 'error', dark: false, tags: ['long'] },
  ]
  for (const { scene, dark, tags } of looks) {
    it(`are accessible and break no policy: ${scene}, dark ${dark}`, { tags }, async () => {
      const page = await open(scene, { dark })
      await page.getByRole('status').first().waitFor()
      for (const screen of SCREENS) {
        await goTo(page, screen)
        expect({ screen, problems: await accessibilityProblems(page) }).toEqual({ screen, problems: [] })
      }
      expect(complaints).toEqual([])
    })
  }

  it('take the token out of the address, start, and stop', async () => {
    const page = await open('empty')
    await page.getByRole('status').getByText('Not mining').waitFor()
    expect(page.url()).not.toContain('token')
    await page.getByRole('button', { name: 'Start mining' }).click()
    await page.getByRole('status').getByText('Mining on 1 device').waitFor()
    await page.getByText('Stops by itself at').waitFor()
    await page.getByRole('button', { name: 'More ways to stop' }).click()
    await page.getByRole('menuitem', { name: 'Finish, then stop' }).click()
    await page.getByRole('status').getByText('Finishing 1 job').waitFor()
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByRole('status').getByText('Not mining').waitFor()
  })

  it('show nothing of an engine without the right token', async () => {
    const page = await open('mining')
    const address = new URL(engines[0]?.url ?? '')
    for (const hash of ['', '#token=wrong']) {
      const context = await newContext()
      const stranger = await context.newPage()
      await stranger.goto(`${address.origin}/${hash}`)
      await stranger.getByRole('heading', { name: 'Open the link that Lode printed' }).waitFor()
      expect(await stranger.getByRole('navigation').count()).toBe(0)
    }
    await page.getByRole('status').getByText('Mining on').waitFor()
  })

  it('say that the engine is gone, and go on by themselves when it is back', async () => {
    const page = await open('mining')
    await page.getByRole('status').getByText('Mining on').waitFor()
    // The other screens come once the first has answered.
    await page.waitForLoadState('networkidle')
    const port = Number(new URL(page.url()).port)
    await engines.splice(0)[0]?.close()
    await page.getByRole('status').getByText('Lode does not answer').waitFor()
    expect(await page.getByRole('button', { name: 'Stop', exact: true }).isDisabled()).toBe(true)
    // Screens that were never opened are there too.
    await show(page, 'earnings')
    await page.getByRole('heading', { name: 'Earnings', exact: true }).waitFor()
    engines.push(await startSampleEngine({ root, scene: 'mining', port }))
    await page.getByRole('status').getByText('Mining on').waitFor()
  })

  it('keep the frame when a screen does not load, which can be tried again', async () => {
    const page = await open('mining')
    await page.route('**/assets/Settings-*.js', (route) => route.abort())
    await page.reload()
    await page.getByRole('status').getByText('Mining on').waitFor()
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByText('This screen could not be shown').waitFor()
    expect(await page.getByRole('status').getByText('Mining on').isVisible()).toBe(true)
    await page.unroute('**/assets/Settings-*.js')
    await page.getByRole('button', { name: 'Try again', exact: true }).click()
    await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor()
  })

  it('offer no work to an engine that is gone', async () => {
    const page = await open('mining')
    await goTo(page, 'jobs')
    const give = page.getByRole('button', { name: 'Run a job' })
    await give.click()
    const run = page.getByRole('button', { name: 'Run', exact: true })
    await run.waitFor()
    await engines.splice(0)[0]?.close()
    await page.getByTitle('The engine is gone').first().waitFor()
    expect(await run.isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Close' }).first().click()
    expect(await give.isDisabled()).toBe(true)
    expect(await page.getByRole('textbox', { name: 'Search' }).isDisabled()).toBe(true)
  })

  it('reach the last of a million jobs and come back to the newest', async () => {
    const page = await open('mining')
    await page.getByRole('link', { name: 'Jobs' }).click()
    const table = page.getByRole('table', { name: 'Jobs' })
    await table.getByRole('row').nth(3).waitFor()
    expect(await table.getAttribute('aria-rowcount')).toBe('1000001')
    await page.locator('.virtual').evaluate((element) => element.scrollTo(0, element.scrollHeight))
    const last = table.locator('[aria-rowindex="1000001"]')
    await last.getByText('itp1-base').waitFor()
    await page.getByRole('button', { name: 'To the newest' }).click()
    await page.getByText('Following new jobs').waitFor()
    await table.locator('[aria-rowindex="2"]').getByText('running').waitFor()
  })

  it('say what will appear, or what went wrong and what to do', async () => {
    const empty = await open('empty')
    await empty.getByText('No readings yet').waitFor()
    await empty
      .getByText(/Once you start mining, Lode fetches .*all-MiniLM-L6-v2.* in the background, 190\sMB in all/)
      .waitFor()
    await empty.getByRole('button', { name: 'Mine without downloading' }).waitFor()
    await empty.getByRole('link', { name: 'Jobs' }).click()
    await empty.getByText('No jobs yet').waitFor()
    await empty.getByRole('link', { name: 'Earnings' }).click()
    await empty.getByText('No credit in this period').waitFor()

    const broken = await open('error')
    await broken.getByRole('link', { name: 'Earnings' }).click()
    await broken.getByRole('alert').filter({ hasText: 'The ledger cannot be read.' }).first().waitFor()
    await broken.getByRole('button', { name: 'Try again' }).first().waitFor()

    const faulted = await open('faulted')
    await faulted.getByRole('status').getByText('Not mining: The processor worker keeps stopping').waitFor()
    expect(await faulted.getByRole('button', { name: 'Retry' }).isEnabled()).toBe(true)
  })

  it('show credit that is held apart from what was accepted, and say why other credit was lost', async () => {
    const page = await open('mining')
    await page.getByText('600 GMAC held until checked').waitFor()
    await goTo(page, 'earnings')
    const stage = page.locator('.stage').filter({ hasText: 'Held until checked' })
    expect(await stage.textContent()).toMatch(/600.*GMAC.*2 results.*counted once checked/)
    expect(await page.locator('.stage').filter({ hasText: 'Accepted' }).textContent()).toMatch(/50\.7.*TMAC/)
    await page.getByText('3 lost: 1 late, 1 above the target, 1 a check of this rig’s work failed').waitFor()
    const credits = page.getByRole('table', { name: 'Credits' })
    await credits.getByRole('row').filter({ hasText: 'held' }).first().waitFor()
    await credits.getByRole('row').filter({ hasText: 'refused, late' }).waitFor()
    await credits.getByRole('row').filter({ hasText: 'forfeited, a check of this rig’s work failed' }).waitFor()

    await goTo(page, 'jobs')
    const states = page.getByLabel('State')
    expect(await states.locator('option').allTextContents()).toEqual(['all', ...jobStates])
    for (const [state, why] of [
      ['held', 'The network credits it once it has checked it.'],
      ['forfeited', 'a check of this rig’s work failed'],
      ['refused', 'late'],
    ] as const) {
      await states.selectOption(state)
      const rows = page.getByRole('table', { name: 'Jobs' }).locator('tbody tr')
      await rows.first().getByText(state, { exact: true }).click()
      await page.locator('.job-detail').getByText(why, { exact: true }).waitFor()
    }
  })

  it('grey what missed its beats and say how old it is', async () => {
    const page = await open('stale')
    const age = page.getByText(/Readings \d+ s old/)
    await age.waitFor()
    expect(await age.isVisible()).toBe(true)
  })

  it('show no work per joule where no power is known, and say so', async () => {
    const page = await open('no-power')
    await page.getByText('no power reading on this computer', { exact: true }).waitFor()
    expect(await page.getByText('GMAC/J', { exact: true }).locator('..').textContent()).toContain('–')
  })

  it('take a payout address only with its last six characters', async () => {
    const page = await open('mining')
    await goTo(page, 'settings/payout')
    await page.getByRole('button', { name: 'Set an address' }).click()
    const set = page.getByRole('button', { name: 'Use this address' })
    await page.getByLabel('New address').fill('0x5aAeb6053F')
    await page.getByText('30 characters missing').waitFor()
    expect(await set.isDisabled()).toBe(true)
    await page.getByLabel('New address').fill('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed')
    const six = page.getByLabel('Type its last six characters')
    await six.fill('1beaed')
    await page.getByText('These are not the last six characters').waitFor()
    expect(await set.isDisabled()).toBe(true)
    await six.fill('1BeAed')
    await set.click()
    await page.getByRole('row').filter({ hasText: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed' }).waitFor()
  })

  it('are used by keyboard alone: every action of Models is reached, seen, and not lost when it is done', async () => {
    const page = await open('mining')
    await goTo(page, 'models')
    const main = page.locator('main')
    const wanted = await main
      .locator('a[href], button:not([disabled]), input:not([disabled]), select:not([disabled])')
      .count()
    const reached = new Set<string>()
    await page.locator('main h1').click()
    for (let press = 0; press < wanted; press++) {
      await page.keyboard.press('Tab')
      const { name, outline } = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement
        const shown = [element, element.closest('label'), element.closest('.input')]
        return {
          name: `${element.tagName} ${[...document.querySelectorAll('main *')].indexOf(element)}`,
          outline: shown.some((one) => one !== null && getComputedStyle(one).outlineStyle === 'solid'),
        }
      })
      expect({ name, outline }).toEqual({ name: expect.not.stringContaining('-1') as string, outline: true })
      reached.add(name)
    }
    expect(reached.size).toBe(wanted)

    const get = main.getByRole('button', { name: /^Get / }).first()
    await get.focus()
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BUTTON')

    // More context is more memory.
    const first = main.getByRole('table', { name: 'Models that can be fetched' }).getByRole('row').nth(1)
    const before = await first.getByText(/of memory/).textContent()
    await main.getByLabel('Fits with a context of').selectOption('131072')
    await first.getByTitle(/at 32,768 tokens of context/).waitFor()
    expect(await first.getByText(/of memory/).textContent()).not.toBe(before)
  })

  it.each([
    [900, 600],
    [640, 720],
  ])('hold at %i × %i: nothing is wider than the window', async (width, height) => {
    const page = await open('mining', { width, height })
    await page.getByRole('status').first().waitFor()
    for (const screen of SCREENS) {
      await goTo(page, screen)
      const wider = await page.evaluate(() => {
        const main = document.querySelector('main')
        return Math.max(
          document.documentElement.scrollWidth - window.innerWidth,
          (main?.scrollWidth ?? 0) - (main?.clientWidth ?? 0),
        )
      })
      expect({ screen, fits: wider <= 0 }).toEqual({ screen, fits: true })
    }
  })
})
