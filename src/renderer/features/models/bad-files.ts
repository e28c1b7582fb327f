/** What the last check of all files found, by model; it stays while the screens are open. */
import { create } from 'zustand'

export const useBadFiles = create<{ files: Readonly<Record<string, readonly string[]>> }>(() => ({ files: {} }))
