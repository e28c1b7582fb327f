/* oxlint-disable jsx-a11y/prefer-tag-over-role -- a canvas and its overlay are one image */
/** The picture on a canvas with the recognized lines as outlines over it. A canvas, because the page may load no images from text. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useEffect, useRef, useState } from 'react'
import type { OcrLine } from '#shared/domain/job'
import { fromBase64 } from './files'

/** Pixels of the drawn copy at most, on its longer side. */
const DRAWN_PIXELS = 1600

export function PictureWithLines({ image, lines }: { image: string; lines: readonly OcrLine[] }) {
  const { t } = useLingui()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState<{ width: number; height: number } | null>(null)
  const [undrawable, setUndrawable] = useState(false)
  useEffect(() => {
    let gone = false
    createImageBitmap(new Blob([fromBase64(image)])).then(
      (bitmap) => {
        const target = canvas.current
        if (gone || !target) return bitmap.close()
        const factor = Math.min(1, DRAWN_PIXELS / Math.max(bitmap.width, bitmap.height))
        target.width = Math.max(1, Math.round(bitmap.width * factor))
        target.height = Math.max(1, Math.round(bitmap.height * factor))
        target.getContext('2d')?.drawImage(bitmap, 0, 0, target.width, target.height)
        setSize({ width: bitmap.width, height: bitmap.height })
        bitmap.close()
      },
      // The engine reads kinds that a browser does not draw (TIFF): the lines still stand below.
      () => setUndrawable(true),
    )
    return () => {
      gone = true
    }
  }, [image])
  return (
    <div
      className="picture"
      role="img"
      aria-label={t`The picture with ${lines.length} lines outlined; their texts follow`}
    >
      {undrawable && (
        <p className="muted note">
          <Trans>This browser cannot draw this kind of picture.</Trans>
        </p>
      )}
      <canvas ref={canvas} width={1} height={1} hidden={undrawable} />
      {size && (
        <svg viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true">
          {lines.map((line, index) => (
            <polygon key={index} points={line.box.map(([x, y]) => `${x},${y}`).join(' ')}>
              <title>{line.text}</title>
            </polygon>
          ))}
        </svg>
      )}
    </div>
  )
}
