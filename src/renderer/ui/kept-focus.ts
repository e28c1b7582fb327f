/** Keeps the focus when the element that had it goes away, so that a keyboard continues from the same place. */
import { useEffect, useRef, type RefObject } from 'react'

/** The `ref` of an element that takes the place of a pressed button: the element gets the focus at once. */
export function takesFocus(element: HTMLElement | null): void {
  element?.focus({ preventScroll: true })
}

/**
 * For the element of a screen whose rows and buttons come and go. When the focused one is taken away, the section around it
 * has the focus, or else the screen itself.
 */
export function useKeptFocus<T extends HTMLElement>(): RefObject<T | null> {
  const screen = useRef<T>(null)
  useEffect(() => {
    const root = screen.current
    if (root === null) return undefined
    let last: Element | null = null
    let around: HTMLElement[] = []
    const note = (event: FocusEvent): void => {
      last = event.target instanceof Element ? event.target : null
      const section = last?.closest<HTMLElement>('section')
      around = section && section !== last ? [section, root] : [root]
    }
    // A click beside every control is meant to leave the focus nowhere.
    const forget = (): void => {
      last = null
    }
    const watcher = new MutationObserver(() => {
      if (last === null || last.isConnected || document.activeElement !== document.body) return
      last = null
      const home = around.find((element) => element.isConnected)
      if (!home) return
      home.tabIndex = -1
      home.focus({ preventScroll: true })
    })
    root.addEventListener('focusin', note)
    document.addEventListener('pointerdown', forget, true)
    watcher.observe(root, { childList: true, subtree: true })
    return () => {
      watcher.disconnect()
      document.removeEventListener('pointerdown', forget, true)
      root.removeEventListener('focusin', note)
    }
  }, [])
  return screen
}
