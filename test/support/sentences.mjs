// Sentences in the sources: Babel reads them, since TypeScript's own parser is not for programs.
import { parseSync, types } from '@babel/core'

const isText = (node) =>
  types.isStringLiteral(node) ||
  types.isTemplateLiteral(node) ||
  ((types.isBinaryExpression(node) || types.isLogicalExpression(node)) && (isText(node.left) || isText(node.right))) ||
  (types.isConditionalExpression(node) && (isText(node.consequent) || isText(node.alternate)))

/** Whether a call says a sentence: in a failure, or as words that nobody translates. */
function saysSentence(node) {
  const name = types.isIdentifier(node.callee) ? node.callee.name : ''
  const [first, second, third] = node.arguments
  if (types.isNewExpression(node) && name === 'Failure') return isText(second) || third !== undefined
  return ['PeerUnavailable', 'foreignWords'].includes(name) && isText(first)
}

export function sentencesIn(source) {
  // Reading a file takes its time, and most have none of these.
  if (!/Failure\(|PeerUnavailable\(|foreignWords\(/.test(source)) return []
  const tree = parseSync(source, { babelrc: false, configFile: false, parserOpts: { plugins: ['typescript', 'jsx'] } })
  const found = []
  types.traverseFast(tree, (node) => {
    const isCall = types.isNewExpression(node) || types.isCallExpression(node)
    if (isCall && saysSentence(node)) found.push(`line ${node.loc.start.line}: ${source.slice(node.start, node.end)}`)
  })
  return found
}
