/** Proofs on a device: units, slices of nonces, shares. */
export { createDeviceProofs, type ProofOptions, type Slice } from './device-proofs'
