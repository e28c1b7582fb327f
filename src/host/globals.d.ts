/** package.json's version, put in by the build. */
declare const __LODE_VERSION__: string
