declare module '*.css'
declare module '@fontsource-variable/inter'
declare module '@fontsource-variable/jetbrains-mono'
declare module '*.po' {
  import type { Messages } from '@lingui/core'
  export const messages: Messages
}
