/** Proofs on a device: units, slices of nonces, shares. */
export { createDeviceProofs, type ProofOptions, type Slice } from './device-proofs'
export type { FoundShare } from './proof-miner'
