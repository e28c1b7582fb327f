import { lingui, linguiTransformerBabelPreset } from '@lingui/vite-plugin'
import babel from '@rolldown/plugin-babel'
import react from '@vitejs/plugin-react'
import { resolve } from 'node:path'
import { defineConfig } from 'vite'

/**
 * The screens. The same output is served by the engine's own server and by the desktop's `app://` scheme, so the base
 * is relative, nothing is inlined (strict CSP), and the target is the oldest Chromium that runs it.
 */
export default defineConfig({
  root: resolve(import.meta.dirname, 'src/renderer'),
  base: './',
  plugins: [react(), lingui({ failOnMissing: true }), babel({ presets: [linguiTransformerBabelPreset()] })],
  build: {
    // Absolute: Vite takes a relative folder from the root, electron-vite from where it was started.
    outDir: resolve(import.meta.dirname, 'out/renderer'),
    emptyOutDir: true,
    target: 'chrome114',
    assetsInlineLimit: 0,
    minify: true,
    rolldownOptions: { input: resolve(import.meta.dirname, 'src/renderer/index.html') },
  },
})
