/** Networks that this rig can mine for, and the signatures they and the rig use. */
export { createSigner, signatureVerifier } from './ed25519'
export { expectedCredit } from './expected-credit'
export { joinPractice } from './join-practice'
export { createNetworkState, type NetworkState } from './network-state'
export { openPracticeNetwork } from './practice'
export { recoverOpenWork } from './recovery'
export { loadRigKeySeed } from './rig-key'
export { createSubmissions, type FoundShare, type Submissions } from './submissions'
