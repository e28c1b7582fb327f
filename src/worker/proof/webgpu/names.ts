/** Finds a graphics processor among the adapters that WebGPU lists. The sensors may spell its name differently. */

export interface NamedGpu {
  name: string
  vendor: string
}

/** Names of adapters that are software on the processor. */
export const SOFTWARE_NAMES = /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i

const MAKERS = [/nvidia|geforce|quadro|tesla/i, /\bamd\b|advanced micro devices|radeon|\bati\b/i, /intel/i, /apple/i]

/**
 * The listed name of `wanted`, on a computer that also has `others`: found by its name, else as the only adapter of its
 * maker, else by the words and numbers of the model. Null: none or several fit.
 */
export function listedName(listed: readonly string[], wanted: NamedGpu, others: readonly NamedGpu[]): string | null {
  const longer = others.map(({ name }) => name).filter((name) => name !== wanted.name && name.includes(wanted.name))
  const named = listed.find(
    (name) => name.includes(wanted.name) && !longer.some((other) => name.includes(other) || other === name),
  )
  if (named !== undefined) return named
  const maker = makerOf(`${wanted.vendor} ${wanted.name}`)
  const ofMaker = [...new Set(listed)].filter((name) => !SOFTWARE_NAMES.test(name) && makerOf(name) === maker)
  const rivals = others.filter(({ vendor, name }) => makerOf(`${vendor} ${name}`) === maker)
  if (maker < 0) return null
  const [only] = ofMaker
  if (only !== undefined && ofMaker.length === 1 && rivals.length === 0) return only
  const scored = ofMaker
    .map((name) => ({ name, score: likeness(name, wanted.name) }))
    .toSorted((one, other) => other.score - one.score)
  const [best, second] = scored
  if (best === undefined || best.score === 0 || best.score === second?.score) return null
  return rivals.some(({ name }) => name !== wanted.name && likeness(best.name, name) >= best.score) ? null : best.name
}

function makerOf(name: string): number {
  return MAKERS.findIndex((pattern) => pattern.test(name))
}

/** The number of common words; 0 where none of them contains a digit, since only those identify a model. */
function likeness(one: string, other: string): number {
  const known = new Set(wordsOf(other))
  const common = [...new Set(wordsOf(one))].filter((word) => known.has(word))
  return common.some((word) => /\d/.test(word)) ? common.length : 0
}

function wordsOf(name: string): string[] {
  return name.toLowerCase().match(/[a-z0-9]+/g) ?? []
}
