/** The identity of Lode's converter: a model's graph depends on the converter as much as on the file. */
import type { ModelManifest } from './manifest'

/**
 * The converter, by what it makes: SHA-256 over the folders made of small models of every family. A test computes it
 * (src/worker/convert/converter.test.ts) and prints the new one when graphs, weights or tokenizers change.
 */
export const CONVERTER_SHA256 = '9f765216226839273202fdcf3adfc38e1134169c5458179afcfd3464aadc79ac'

/** Whether another converter than today's made the model. It runs nevertheless; its file, added or fetched again, is made anew. */
export function isOutdated({ origin }: Pick<ModelManifest, 'origin'>): boolean {
  return origin?.converter !== undefined && origin.converter !== CONVERTER_SHA256
}
