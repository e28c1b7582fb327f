import { expect, test } from 'vitest'
import { whyNoJobs } from './no-jobs'

const proving = { state: 'proving', runningJobs: [] }

test('says which models lack, or that nobody has work, and nothing while a job runs', () => {
  expect(whyNoJobs({ runners: [proving], kinds: [], samples: true })).toEqual({
    reason: 'no-model',
    missingKinds: ['chat', 'embed', 'ocr'],
  })
  expect(whyNoJobs({ runners: [proving], kinds: ['ocr'], samples: true })).toEqual({
    reason: 'no-work',
    missingKinds: ['chat', 'embed'],
  })
  expect(whyNoJobs({ runners: [proving], kinds: ['ocr'], samples: false })?.reason).toBe('samples-off')
  const working = { ...proving, state: 'working', runningJobs: [{}] }
  expect(whyNoJobs({ runners: [proving, working], kinds: [], samples: true })).toBeNull()
  expect(whyNoJobs({ runners: [{ ...proving, state: 'idle' }], kinds: [], samples: true })).toBeNull()
})
