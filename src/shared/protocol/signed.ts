/** A signed object of the protocol, around the schema of its body. */
import { z } from 'zod'
import { hex128, hex64 } from '../domain/bytes'

/** A signed object around a body schema. */
export function signedSchema<T extends z.ZodType>(body: T) {
  return z.object({ body, id: hex64, key: hex64, signature: hex128 })
}
