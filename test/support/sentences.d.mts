/** Places where a file makes a failure, or words that nobody translates, out of a sentence of its own. */
export function sentencesIn(source: string): string[]
