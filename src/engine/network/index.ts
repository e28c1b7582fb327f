/** Networks that this rig can mine for, and the signatures they and the rig use. */
export { createSigner, generateKeySeed, signatureVerifier } from './ed25519'
export { openPracticeNetwork, type PracticeNetwork, type PracticeNetworkParts, type PracticeNotice } from './practice'
