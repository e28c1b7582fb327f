import type { Reporter, TestModule } from 'vitest/node'

/** Prints the line that continuous integration reads, last of all: `N passed, N failed, N skipped`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      let failedHere = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') count.passed++
        else if (state === 'failed') failedHere++
        else count.skipped++
      }
      // A file that does not load has no failed test of its own.
      if (failedHere === 0 && module.state() === 'failed') failedHere = 1
      count.failed += failedHere
    }
    process.once('exit', () => {
      console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
    })
  }
}
