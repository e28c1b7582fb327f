/** How a message is defined: its English, what it carries, and what a person can do about it. */
import type { Parameter } from './parameters'

// oxlint-disable-next-line typescript/no-explicit-any -- a table holds parameters of every type
export type Parameters = Readonly<Record<string, Parameter<any>>>
export type ValuesOf<P extends Parameters> = { readonly [N in keyof P]: P[N] extends Parameter<infer T> ? T : never }

export interface Definition<P extends Parameters = Parameters> {
  /** English in ICU MessageFormat; its placeholders are the parameters */
  readonly text: string
  readonly params: P
  /** what the person can do, with the same parameters; empty: nothing */
  readonly action: string
}

/** In a catalogue, what the person can do stands under the code with this at its end. */
export const ACTION_SUFFIX = '.action'

/** A message, its parameters, and what the person can do. `npm run messages` reads these calls: their texts are literals. */
export function says(text: string, action?: string): Definition<Record<never, never>>
export function says<const P extends Parameters>(text: string, params: P, action?: string): Definition<P>
export function says(text: string, second: Parameters | string = {}, third = ''): Definition {
  return typeof second === 'string' ? { text, params: {}, action: second } : { text, params: second, action: third }
}
