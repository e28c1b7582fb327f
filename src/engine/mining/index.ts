/** Mining as a whole: start, stop, levels, and resuming after an interruption. */
export { createMining, type Mining, type MiningOptions, type MiningRunner } from './mining'
export { createMiningClock, type MiningClock } from './mining-clock'
export { openResumeMarker } from './resume'
export { createThrottle, threadsAt, type ThrottleState } from './throttle'
