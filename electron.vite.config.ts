import { defineConfig } from 'electron-vite'
import renderer from './vite.renderer.config'

const commonJs = { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' } as const

/**
 * Shell, preload script and page. The shell is CommonJS for Node 18, so that older Electrons can run it too; its few
 * packages are bundled, since it must start fast.
 */
export default defineConfig({
  main: {
    build: {
      target: 'node18',
      externalizeDeps: false,
      rolldownOptions: { input: { index: 'src/main/index.ts' }, output: commonJs },
    },
  },
  preload: {
    build: {
      target: 'node18',
      externalizeDeps: false,
      rolldownOptions: { input: { index: 'src/preload/index.ts' }, output: commonJs },
    },
  },
  renderer,
})
