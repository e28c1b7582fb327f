// docs/messages.md, from the tables of src/shared/domain/messages.

/**
 * `tables`: by part, the definitions by code. `subjects`: by part, what it is about, in a sentence.
 * Returns Markdown.
 */
export function messagesDocument(tables, subjects) {
  const parts = Object.entries(tables).map(([part, definitions]) => {
    const lines = Object.entries(definitions).map(
      ([code, { text, action }]) => `- \`${code}\`: \`${text}\`${action === '' ? '' : ` · \`${action}\``}`,
    )
    return `## ${part[0].toUpperCase()}${part.slice(1)}\n\n${subjects[part]}\n\n${lines.join('\n')}\n`
  })
  return `${HEAD}\n${parts.join('\n')}`
}

const HEAD = `# Messages

The engine, its workers and the wire carry codes with parameters; the screens and the command make texts of them. Each line is one code with its
English text in ICU MessageFormat, and after the dot what the person can do. \`npm run messages\` writes this page from \`src/shared/domain/messages/\`.
The \`code\` of a failure in the command's \`--json\` is not one of these: it is the failure's kind (\`src/shared/domain/errors.ts\`); \`message\` and \`action\` are these texts.
`

/** The sentence at the top of a table's source. */
export function subjectOf(source) {
  return /^\/\*\* (.*?) \*\//.exec(source)?.[1] ?? ''
}
