import { readFileSync } from 'node:fs'
import { defineConfig } from 'vite'

const packageJson = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as { version: string }

/**
 * Node programs: the command line, the desktop's engine process, workers and sensors. Packages from node_modules stay
 * outside, but for those that make texts of messages: what they need besides is for building only.
 */
export default defineConfig({
  publicDir: false,
  ssr: { noExternal: [/^@lingui\//, /^@messageformat\//, 'moo'] },
  define: { __LODE_VERSION__: JSON.stringify(packageJson.version) },
  build: {
    ssr: true,
    outDir: 'out/node',
    emptyOutDir: true,
    target: 'node24',
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      input: {
        lode: 'src/cli/lode.ts',
        'engine-process': 'src/host/engine-process.ts',
        worker: 'src/worker/main.ts',
        sensors: 'src/sensors/main.ts',
        'pdf-thread': 'src/worker/inference/ocr/pdf-thread.ts',
      },
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
})
