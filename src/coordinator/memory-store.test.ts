import { describeCoordinatorStore } from '../../test/support/coordinator-store-suite'
import { createMemoryStore } from '../../test/support/memory-store'

describeCoordinatorStore('the store in memory', createMemoryStore)
