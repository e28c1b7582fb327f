/** The system's Chromium, driven by playwright-core. */
import { existsSync } from 'node:fs'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { WAIT_MILLISECONDS } from './waiting'

const candidates = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** Its path, or null where there is none. */
export function chromiumPath(): string | null {
  return candidates.find((path): path is string => path !== undefined && existsSync(path)) ?? null
}

/** The same page or all pages of a context, waiting as long as tests wait for a state. */
export function patient<T extends BrowserContext | Page>(page: T): T {
  page.setDefaultTimeout(WAIT_MILLISECONDS)
  return page
}

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    timeout: WAIT_MILLISECONDS,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
    ],
  })
}
