/** Mining as a whole: start, stop, levels, going on after an interruption. */
export { createMining, type Mining } from './mining'
export { openResumeMarker } from './resume'
export { createThrottle, threadsAt, type ThrottleState } from './throttle'
