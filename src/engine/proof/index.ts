/** Proofs on a device: units, slices of nonces, shares. */
export { createDeviceProofs } from './device-proofs'
export { createPacing, type Slice } from './pacing'
