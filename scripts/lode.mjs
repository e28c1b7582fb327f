#!/usr/bin/env node
// `npm run -s lode -- COMMAND`: builds what is out of date, then runs the command line in this process.
import './node-version.mjs'

await import('./build.mjs')
await import('../out/node/lode.js')
