import { defineConfig } from 'vitest/config'

const builtPrograms = './test/support/build-programs.ts'

/** What a test does not ask for is not fetched. `unit`: beside the code and over both transports. `e2e`: whole processes, browsers and windows, one after another. `faults`: the long round. */
export default defineConfig({
  define: { __LODE_VERSION__: JSON.stringify('test') },
  test: {
    maxConcurrency: 2,
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          env: { LODE_FETCH_MODELS: 'no' },
          include: ['src/**/*.test.ts', 'test/contract/**/*.test.ts'],
          globalSetup: [builtPrograms],
          pool: 'forks',
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          env: { LODE_FETCH_MODELS: 'no' },
          include: ['test/e2e/**/*.test.ts', 'test/faults/**/*.test.ts'],
          globalSetup: [builtPrograms],
          pool: 'forks',
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
