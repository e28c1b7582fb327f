import adjectives from '../../../resources/words/adjectives.txt?raw'
import adverbs from '../../../resources/words/adverbs.txt?raw'
import ideas from '../../../resources/words/ideas.txt?raw'
import moments from '../../../resources/words/moments.txt?raw'
import people from '../../../resources/words/people.txt?raw'
import places from '../../../resources/words/places.txt?raw'
import things from '../../../resources/words/things.txt?raw'
import verbs from '../../../resources/words/verbs.txt?raw'

/** Ordinary English words by the part they can take in a sentence. */
export const WORDS = {
  adjectives: parse(adjectives),
  adverbs: parse(adverbs),
  /** uncountable or abstract: "advice", "gravity" */
  ideas: parse(ideas),
  /** days, months, times of day: "autumn", "Friday" */
  moments: parse(moments),
  people: parse(people),
  places: parse(places),
  /** countable, in the singular */
  things: parse(things),
  /** in the past tense, taking an object: "carried" */
  verbs: parse(verbs),
} as const

export const ALL_WORDS: readonly string[] = [...new Set(Object.values(WORDS).flat())]

function parse(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
