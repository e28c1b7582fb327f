/**
 * Signed objects as ledgers and stores keep them: of this version, or of the first, which named the network by its name.
 * They are read with these schemas and checked with `isGenuineStored`; a wire takes the present version only. Fields that
 * this version does not know are kept, because the signature covers them.
 */
import type { z } from 'zod'
import { networkName } from './bounds'
import { epochBody } from './epoch'
import { jobResultBody } from './job'
import { receiptBody } from './receipt'
import { shareBody } from './share'
import { signedSchema } from './signed'

/** A key or a name. */
const network = networkName

/** An epoch of version 1 committed to nothing. */
const storedEpochBody = epochBody
  .partial({ commitment: true, closing: true, checkCommitment: true, checkKeys: true })
  .extend({ network })
  .loose()
export type StoredEpoch = z.infer<typeof storedEpochBody>
export const storedEpoch = signedSchema(storedEpochBody)
export const storedShare = signedSchema(shareBody.extend({ network }).loose())
export const storedJobResult = signedSchema(jobResultBody.extend({ network }).loose())
export const storedReceipt = signedSchema(receiptBody.extend({ network }).loose())
