/** Drivers of other devices: approved by the person, tried, watched. */
export { checkConformance } from './conformance'
export { createDrivers, type Drivers } from './drivers'
export { createKeptDriverChecks, type KeptDriverChecks } from './kept-checks'
