import { useEffect } from 'react'
import { useStore } from '../data/store'

const THEME_KEY = 'lode-theme'

/** Puts the chosen theme on the page; remembered in this browser so that the next start does not flash. */
export function useTheme(): void {
  const chosen = useStore((state) => state.settings?.theme)
  useEffect(() => {
    const theme = chosen ?? localStorage.getItem(THEME_KEY) ?? 'system'
    if (chosen) localStorage.setItem(THEME_KEY, chosen)
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme
    else delete document.documentElement.dataset['theme']
    window.dispatchEvent(new Event('lode-theme'))
  }, [chosen])
}
