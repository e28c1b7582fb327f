import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes longest begins first, so that no worker is left with a long file while the other has nothing more to do. Of the others Vitest knows better: it remembers the last run. */
const LONGEST = [
  'test/faults/kill.test.ts',
  'test/contract/native-driver.test.ts',
  'test/e2e/drivers-check.test.ts',
  'test/e2e/walk.test.ts',
  'test/e2e/cli-jobs.test.ts',
  'test/e2e/asic-sim.test.ts',
]

const place = ({ moduleId }: TestSpecification): number => {
  const found = LONGEST.findIndex((file) => moduleId.replaceAll('\\', '/').endsWith(file))
  return found === -1 ? LONGEST.length : found
}

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other))
  }
}
