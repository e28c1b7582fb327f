/** Drivers of other devices: approved by the person, tried, watched. */
export { checkConformance } from './conformance'
export type { Drivers } from './drivers'
export { createKeptDriverChecks, type KeptDriverChecks } from './kept-checks'
export { createDriverSupport } from './support'
