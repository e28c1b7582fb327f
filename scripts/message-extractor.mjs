// For `lingui extract`: the messages of src/shared/domain/messages, each call of `says` in their tables. Their codes are the ids.
import { parseSync } from '@babel/core'

/** In a catalogue, what the person can do stands under the code with this at its end (src/shared/domain/messages/definition.ts). */
const ACTION_SUFFIX = '.action'

export const messageExtractor = {
  match: (file) => /[\\/]shared[\\/]domain[\\/]messages[\\/][\w-]+\.ts$/.test(file),
  extract: (file, code, onMessage) => {
    const { program } = parseSync(code, { babelrc: false, configFile: false, parserOpts: { plugins: ['typescript'] } })
    for (const entry of entriesOf(program)) {
      const [first, ...rest] = entry.value.arguments
      const id = entry.key.name ?? entry.key.value
      const origin = [file, entry.loc.start.line]
      const action = rest.find(({ type }) => type === 'StringLiteral')
      onMessage({ id, message: first.value, origin, context: undefined })
      if (action) onMessage({ id: `${id}${ACTION_SUFFIX}`, message: action.value, origin, context: undefined })
    }
  },
}

/** The properties of exported tables whose value is a call of `says`. */
function entriesOf(program) {
  return program.body
    .flatMap((statement) => statement.declaration?.declarations ?? [])
    .flatMap(({ init }) => init?.properties ?? [])
    .filter(({ value }) => value?.type === 'CallExpression' && value.callee.name === 'says')
}
