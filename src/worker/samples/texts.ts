import type { SeededRandom } from './random'
import { WORDS } from './words'

/** One sentence that means little but is grammatical, so that embeddings have something ordinary to work on. */
export function sentence(random: SeededRandom): string {
  const thing = (): string => describedNoun(random, WORDS.things)
  const person = (): string => random.pick(WORDS.people)
  const place = (): string => random.pick(WORDS.places)
  const verb = (): string => random.pick(WORDS.verbs)
  const moment = (): string => random.pick(WORDS.moments)
  const adverb = (): string => random.pick(WORDS.adverbs)
  const forms: (() => string)[] = [
    () => `The ${person()} ${adverb()} ${verb()} the ${thing()} near the ${place()}.`,
    () =>
      `${article(random.pick(WORDS.adjectives), true)} ${person()} ${verb()} ${article(thing())} and ${article(thing())}.`,
    () =>
      `After a long talk about ${moment()}, the ${person()} ${verb()} ${random.integer(2, 90)} photographs of the ${place()}.`,
    () => `Nobody in the ${place()} knew why the ${person()} ${verb()} the ${thing()}.`,
    () =>
      `${capitalized(random.pick(WORDS.ideas))} and ${random.pick(WORDS.ideas)} matter more to the ${person()} than ${article(thing())}.`,
    () => `Between the ${place()} and the ${place()}, the ${person()} ${adverb()} ${verb()} ${article(thing())}.`,
    () =>
      `The ${thing()} that the ${person()} ${verb()} was ${random.pick(WORDS.adjectives)} and ${random.pick(WORDS.adjectives)}.`,
  ]
  return random.pick(forms)()
}

/** A short question or instruction for a chat model. */
export function question(random: SeededRandom): string {
  const thing = (): string => describedNoun(random, WORDS.things)
  const person = (): string => random.pick(WORDS.people)
  const place = (): string => random.pick(WORDS.places)
  const idea = (): string => random.pick(WORDS.ideas)
  const forms: (() => string)[] = [
    () => `What is ${article(random.pick(WORDS.things))} used for in ${article(place())}?`,
    () => `Write one sentence about ${article(thing())} and ${article(person())}.`,
    () => `Name ${random.integer(2, 4)} things that ${article(person())} might need in ${article(place())}.`,
    () => `Explain ${idea()} to ${article(person())} in a few words.`,
    () => `How are ${idea()} and ${idea()} related?`,
    () => `Describe ${article(`${random.pick(WORDS.adjectives)} ${place()}`)} at ${random.pick(WORDS.moments)}.`,
    () => `Why would ${article(person())} keep ${article(thing())}?`,
    () => `Suggest a title for a story about ${article(person())}, ${article(thing())} and ${idea()}.`,
  ]
  return random.pick(forms)()
}

function describedNoun(random: SeededRandom, nouns: readonly string[]): string {
  return random.chance(60) ? `${random.pick(WORDS.adjectives)} ${random.pick(nouns)}` : random.pick(nouns)
}

/** "an old lamp". By spelling, with the few words of the lists that sound otherwise. */
export function article(words: string, atStart = false): string {
  const vowel = (/^[aeiou]/.test(words) && !/^(eu|one|uni|us[eu])/.test(words)) || /^(heir|honest|hour)/.test(words)
  const chosen = vowel ? 'an' : 'a'
  return `${atStart ? capitalized(chosen) : chosen} ${words}`
}

export function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
