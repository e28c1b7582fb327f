// better-sqlite3 ends the process on a Node.js that is too old, without a word. `npm run` puts the project's own Node.js first.
const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 24) {
  console.error(
    `lode: Node.js ${process.versions.node} is too old for the engine; it needs 24. Start it with "npm run -s lode -- COMMAND" in the project folder, which uses the project's own Node.js (installed by "npm ci").`,
  )
  process.exit(1)
}
