import { z } from 'zod'
import { nothing } from './common'
import { modelCard, modelState } from '#shared/domain/card'
import { procedure } from './rpc'

export const model = modelCard.extend({
  hash: z.string(),
  state: modelState,
  /** comes with Lode, cannot be removed */
  builtIn: z.boolean(),
  bytes: z.number().int(),
})
export type Model = z.infer<typeof model>
export const verifiedModel = model.extend({
  files: z.array(z.object({ path: z.string(), bytes: z.number().int(), sha256: z.string(), ok: z.boolean() })),
})
export type VerifiedModel = z.infer<typeof verifiedModel>

export const modelProcedures = {
  'models.list': procedure(nothing, z.array(model)),
  /** copies a folder into the store after checking it */
  'models.add': procedure(z.object({ folder: z.string().min(1).max(4096) }), model),
  'models.remove': procedure(z.object({ id: z.string().max(100) }), nothing),
  'models.verify': procedure(nothing, z.array(verifiedModel)),
}
export const modelEvents = { 'models.changed': z.array(model) }
