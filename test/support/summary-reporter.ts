import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node'

/** Prints the line that continuous integration reads, last of all: `N passed, N failed, N skipped`. */
export default class SummaryReporter implements Reporter {
  #leavesOutLong = false

  onInit(vitest: Vitest): void {
    this.#leavesOutLong = vitest.config.tagsFilter?.includes('!long') ?? false
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: TestRunEndReason): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      let failedHere = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') count.passed++
        else if (state === 'failed') failedHere++
        else if (!this.#isLeftOut(test)) count.skipped++
      }
      // A file that does not load has no failed test of its own.
      if (failedHere === 0 && module.state() === 'failed') failedHere = 1
      count.failed += failedHere
    }
    // Where the tests could not even begin, that is one failure.
    if (count.failed === 0 && reason === 'failed') count.failed = 1
    process.once('exit', () => {
      console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
    })
  }

  /** One that belongs to `npm run test:all` was not skipped for want of something. */
  #isLeftOut(test: TestCase): boolean {
    return this.#leavesOutLong && test.tags.includes('long')
  }
}
