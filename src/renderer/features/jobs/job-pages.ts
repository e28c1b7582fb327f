/** Rows of the Jobs table, fetched in windows, at stable places while new ones arrive above. */
import type { WorkRow } from '#shared/contract/jobs'
import type { Failure } from '#shared/domain/errors'

export const PAGE_ROWS = 100
/** How many windows are kept. A window far from the visible rows is dropped and fetched again when it is needed. */
const MOST_ROWS = 5000

export interface JobPage {
  total: number
  rows: WorkRow[]
}
export type FetchPage = (offset: number, limit: number) => Promise<JobPage>

/**
 * Row 0 is the newest row at the time of `follow`. Rows that arrive later have no place until `follow` is called
 * again: what a person reads does not move under their eyes.
 */
export class JobPages {
  readonly #fetch: FetchPage
  readonly #toFailure: (error: unknown) => Failure
  readonly #changed: () => void
  #rows = new Map<number, WorkRow>()
  #asked = new Set<number>()
  /** rows that were there at the last `follow`; null before the first answer */
  #total: number | null = null
  /** rows that came since */
  #newer = 0
  #generation = 0
  #failure: Failure | null = null

  constructor(fetch: FetchPage, toFailure: (error: unknown) => Failure, changed: () => void) {
    this.#fetch = fetch
    this.#toFailure = toFailure
    this.#changed = changed
  }

  /** Rows with a place, or null before the first answer. */
  get total(): number | null {
    return this.#total
  }
  get newer(): number {
    return this.#newer
  }
  get failure(): Failure | null {
    return this.#failure
  }

  row(index: number): WorkRow | undefined {
    return this.#rows.get(index)
  }

  /** A row by its id, among those that are kept. */
  find(id: string): WorkRow | undefined {
    for (const row of this.#rows.values()) if (row.id === id) return row
    return undefined
  }

  /** Puts a changed row into its place, if it has one; false for a row that has none yet. */
  update(row: WorkRow): boolean {
    for (const [index, one] of this.#rows) {
      if (one.id !== row.id) continue
      this.#rows.set(index, row)
      this.#changed()
      return true
    }
    return false
  }

  /** Starts at the newest row again. What is shown stays until the answer is here. */
  follow(): void {
    const generation = ++this.#generation
    this.#fetch(0, PAGE_ROWS).then(
      ({ total, rows }) => {
        if (generation !== this.#generation) return
        this.#rows = new Map(rows.map((row, index) => [index, row]))
        this.#asked = new Set([0])
        this.#total = total
        this.#newer = 0
        this.#failure = null
        this.#changed()
      },
      (error: unknown) => this.#fail(generation, error),
    )
  }

  /** Fetches the windows of rows `from` to `to` (inclusive) that are missing. */
  want(from: number, to: number): void {
    if (this.#total === null) return
    const last = Math.min(to, this.#total - 1)
    for (let page = Math.floor(from / PAGE_ROWS); page * PAGE_ROWS <= last; page++) {
      if (this.#asked.has(page)) continue
      this.#asked.add(page)
      this.#load(page)
    }
  }

  #load(page: number): void {
    const generation = this.#generation
    const offset = page * PAGE_ROWS + this.#newer
    this.#fetch(offset, PAGE_ROWS).then(
      ({ total, rows }) => {
        if (generation !== this.#generation || this.#total === null) return
        this.#newer = Math.max(0, total - this.#total)
        rows.forEach((row, index) => this.#rows.set(offset + index - this.#newer, row))
        // New rows arrived meanwhile and left a gap at the end of the window: the window is fetched again with the right offset.
        if (offset - this.#newer !== page * PAGE_ROWS) this.#load(page)
        this.#forgetFar(page)
        this.#failure = null
        this.#changed()
      },
      (error: unknown) => {
        this.#asked.delete(page)
        this.#fail(generation, error)
      },
    )
  }

  #forgetFar(page: number): void {
    if (this.#rows.size <= MOST_ROWS) return
    const keep = MOST_ROWS / PAGE_ROWS / 2
    for (const index of this.#rows.keys())
      if (Math.abs(Math.floor(index / PAGE_ROWS) - page) > keep) this.#rows.delete(index)
    for (const asked of this.#asked) if (Math.abs(asked - page) > keep) this.#asked.delete(asked)
  }

  #fail(generation: number, error: unknown): void {
    if (generation !== this.#generation) return
    const failure = this.#toFailure(error)
    // The header reports a lost link; the rows stay.
    if (failure.code !== 'unavailable') this.#failure = failure
    this.#changed()
  }
}
