/** Models: what is installed, what can be fetched, and what is being fetched. */
import { z } from 'zod'
import { decimal, nothing } from './common'
import { modelManifest, modelState } from '#shared/domain/manifest'
import { failureSchema } from '#shared/domain/errors'
import { messageSchema } from '#shared/domain/messages'
import { jobKind } from '#shared/domain/job'
import { procedure } from './rpc'

export const fitVerdict = z.enum(['fits', 'tight', 'no'])
export type FitVerdict = z.infer<typeof fitVerdict>
/** Whether a model fits this computer at the chosen context. */
export const fit = z.object({
  memory: fitVerdict,
  disk: fitVerdict,
  /** one line for people: "fits: 412 MB of 16.0 GB memory, 98.4 MB of disk" */
  words: messageSchema,
  memoryBytes: z.number().int(),
  /** what the disk must still take; 0 for a model that is installed */
  diskBytes: z.number().int(),
})
export type Fit = z.infer<typeof fit>

/** What a model earned, from this ledger. */
export const modelEarnings = z.object({
  jobs: z.number().int(),
  creditMacs: decimal,
  /** UTC ms of its last accepted job */
  lastAt: z.number().nullable(),
})
export type ModelEarnings = z.infer<typeof modelEarnings>

/** An installed model as screens and `lode` see it. */
export const modelView = modelManifest.extend({
  hash: z.string(),
  state: modelState,
  /** comes with Lode, cannot be removed */
  builtIn: z.boolean(),
  bytes: z.number().int(),
})
export type ModelView = z.infer<typeof modelView>
/** An installed model in the list of models: with its fit and its earnings. */
export const modelRow = modelView.extend({ fit, earned: modelEarnings })
export type ModelRow = z.infer<typeof modelRow>
/** An installed model with the result of `models.verify`: whether each file has its hash. */
export const modelVerification = modelView.extend({
  files: z.array(z.object({ path: z.string(), bytes: z.number().int(), sha256: z.string(), ok: z.boolean() })),
})
export type ModelVerification = z.infer<typeof modelVerification>

/** `waiting`: for the download before it. `checking`: hashes. `installing`: the graph is made, and run once. */
export const downloadState = z.enum([
  'waiting',
  'fetching',
  'checking',
  'installing',
  'paused',
  'failed',
  'done',
  'cancelled',
])
export type DownloadState = z.infer<typeof downloadState>
export const download = z.object({
  id: z.string(),
  name: z.string(),
  state: downloadState,
  bytesDone: z.number().int(),
  bytes: z.number().int(),
  /** over the last seconds; null before the first of them and while nothing is fetched */
  bytesPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  /** where the bytes come from now, in words */
  source: z.string().nullable(),
  /** true while a file comes that pip cannot continue (a Python package): after a pause that file is fetched from its beginning */
  beginsAnew: z.boolean(),
  /** why it failed, and what to do */
  failure: failureSchema.nullable(),
})
export type Download = z.infer<typeof download>

/** A model of the catalogue in the list of those that can be fetched. */
export const catalogueRow = z.object({
  id: z.string(),
  kind: jobKind,
  name: z.string(),
  description: z.string(),
  licence: z.object({ name: z.string(), address: z.string() }),
  /** where its makers describe it */
  card: z.string(),
  /** bytes to fetch */
  bytes: z.number().int(),
  context: z.number().int(),
  /** tokens that the fit is computed with */
  chosenContext: z.number().int(),
  /** in words, in the order in which they are tried */
  sources: z.array(z.string()),
  /** `pinned` by Lode, or taken from the `hub` on the first download and kept */
  hash: z.enum(['pinned', 'hub']),
  /** of the largest file; null while only the hub knows it */
  sha256: z.string().nullable(),
  fit,
  /** fetched by itself once mining starts */
  isDefault: z.boolean(),
  /** the largest chat model that fits well: Lode's choice for this computer */
  recommended: z.boolean(),
  installed: z.boolean(),
  download: download.nullable(),
})
export type CatalogueRow = z.infer<typeof catalogueRow>

/** The models that mining would fetch by itself, and whether it may. */
export const fetchPlan = z.object({
  allowed: z.boolean(),
  /** default models that are not installed yet */
  models: z.array(z.object({ id: z.string(), name: z.string(), kind: jobKind, bytes: z.number().int() })),
  bytes: z.number().int(),
})
export type FetchPlan = z.infer<typeof fetchPlan>

const modelId = z.object({ id: z.string().max(100) })

export const modelProcedures = {
  'models.list': procedure(nothing, z.array(modelRow)),
  /** `context`: tokens that the fit is computed with; null: Lode's own choice */
  'models.catalogue': procedure(
    z.object({ context: z.number().int().min(1).max(1_000_000).nullable() }).nullable(),
    z.object({ models: z.array(catalogueRow), plan: fetchPlan }),
  ),
  /**
   * Begins to fetch a model of the catalogue, or goes on; answers at once; `models.download` reports the progress. `anyway`:
   * also where it does not fit the memory. Two calls for one model share one download.
   */
  'models.get': procedure(modelId.extend({ anyway: z.boolean().optional() }), download),
  'models.pause': procedure(modelId, download),
  /** stops a download and removes its files; mining then no longer fetches the model by itself */
  'models.cancel': procedure(modelId, nothing),
  'models.downloads': procedure(nothing, z.array(download)),
  /** checks a file or folder and copies it into the store; `upload` names files that the page sent to the engine's own server */
  'models.add': procedure(
    z.union([
      z.object({ path: z.string().min(1).max(4096) }),
      z.object({ upload: z.string().regex(/^[0-9a-f-]{36}$/) }),
    ]),
    modelView,
  ),
  'models.remove': procedure(modelId, nothing),
  'models.verify': procedure(nothing, z.array(modelVerification)),
  /** removes the least recently earning models until the rest is within the quota; never one that is in use */
  'models.gc': procedure(
    z.object({ quotaBytes: z.number().int().min(0), dryRun: z.boolean() }),
    z.object({
      removed: z.array(z.object({ id: z.string(), bytes: z.number().int() })),
      freedBytes: z.number().int(),
      /** of the models that stay */
      bytes: z.number().int(),
    }),
  ),
}
export const modelEvents = {
  'models.changed': z.array(modelView),
  /** at most four a second for each download, and at every change of its state */
  'models.download': download,
}
