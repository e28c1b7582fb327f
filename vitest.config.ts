import { defineConfig } from 'vitest/config'
import { WAIT_MILLISECONDS } from './test/support/waiting.ts'
import LongestFirst from './test/support/longest-first.ts'

/** A test fails by what it expects. This limit only ends one that would never end, also on a machine with much else to do. */
const LIMIT_MILLISECONDS = 20 * 60_000

const common = {
  env: {
    // What a test does not ask for is not fetched.
    LODE_FETCH_MODELS: 'no',
  },
  globalSetup: ['./test/support/build-programs.ts'],
  pool: 'forks' as const,
  maxWorkers: 2,
  maxConcurrency: 2,
  testTimeout: LIMIT_MILLISECONDS,
  hookTimeout: LIMIT_MILLISECONDS,
  expect: { poll: { timeout: WAIT_MILLISECONDS, interval: 30 } },
  tags: [{ name: 'long', description: 'Takes too long for `npm test`: runs in `npm run test:all` only.' }],
}

/** `unit`: beside the code and over both transports. `e2e`: whole processes, browsers and windows. */
export default defineConfig({
  define: { __LODE_VERSION__: JSON.stringify('test') },
  test: {
    ...common,
    reporters: ['default', './test/support/summary-reporter.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/adversaries/**/*.test.ts'],
        },
      },
      { test: { ...common, name: 'e2e', include: ['test/e2e/**/*.test.ts', 'test/faults/**/*.test.ts'] } },
    ],
  },
})
