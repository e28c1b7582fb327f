/** Downloads as lines for people. */
import type { Download } from '#shared/contract/models'
import { inEnglish } from '#shared/domain/messages'
import { byteText } from '../figures'

/** One line a state and tenth of each download, so that a log is not full of it; null where there is nothing new to say. */
export function createDownloadLines(): { changed(download: Download): string | null } {
  const said = new Map<string, string>()
  return {
    changed: (download) => {
      const text = lineOf(download)
      if (said.get(download.id) === text) return null
      said.set(download.id, text)
      return text
    },
  }
}

function lineOf({ state, name, bytes, bytesDone, source, failure }: Download): string {
  if (state === 'failed') return failure === null ? `${name} was not fetched` : inEnglish.text(failure.words)
  if (state !== 'fetching') return `${name}: ${state}`
  const tenth = Math.floor((bytesDone / bytes) * 10)
  return `${name}: ${tenth * 10} % of ${byteText(bytes)}${source === null ? '' : ` from ${source}`}`
}
