/** The tokens as colours that a canvas understands, for the theme in force. */

/** Resolves custom properties such as `--work`; `light-dark()` and `color-mix()` are computed by the browser. */
export function tokenColours<K extends string>(names: Record<K, string>): Record<K, string> {
  const probe = document.createElement('span')
  document.body.append(probe)
  const colours = {} as Record<K, string>
  for (const name of Object.keys(names) as K[]) {
    probe.style.color = `var(${names[name]})`
    colours[name] = getComputedStyle(probe).color
  }
  probe.remove()
  return colours
}

/** Calls back when the theme changes, by setting or by the system; returns how to stop. */
export function onThemeChange(listener: () => void): () => void {
  const media = window.matchMedia('(prefers-color-scheme: dark)')
  media.addEventListener('change', listener)
  window.addEventListener('lode-theme', listener)
  return () => {
    media.removeEventListener('change', listener)
    window.removeEventListener('lode-theme', listener)
  }
}
