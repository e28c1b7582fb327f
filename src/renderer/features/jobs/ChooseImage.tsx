import { Trans, useLingui } from '@lingui/react/macro'
import { useId, useState } from 'react'
import { bytes } from '../../ui/format'
import { Icon } from '../../ui/icons'

/** Drop a picture, or choose one with the keyboard or the mouse. */
export function ChooseImage({ file, onFile }: { file: File | null; onFile: (file: File) => void }) {
  const { t } = useLingui()
  const id = useId()
  const [over, setOver] = useState(false)
  return (
    <div
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        event.stopPropagation()
        setOver(false)
        const dropped = event.dataTransfer.files[0]
        if (dropped) onFile(dropped)
      }}
    >
      <label htmlFor={id} className={`drop ${over ? 'over' : ''}`}>
        <Icon name="image" />
        <span>
          {file ? (
            <>
              <b className="strong">{file.name}</b> <span className="muted">{bytes(file.size)}</span>
            </>
          ) : (
            <Trans>Drop a picture or a PDF file here, or choose one</Trans>
          )}
        </span>
        <span className="muted note">
          <Trans>PNG, JPEG, WebP, TIFF, GIF, AVIF or PDF. It stays on this computer.</Trans>
        </span>
        <input
          id={id}
          type="file"
          aria-label={t`Picture`}
          accept="image/png,image/jpeg,image/webp,image/tiff,image/gif,image/avif,application/pdf"
          onChange={(event) => {
            const chosen = event.target.files?.[0]
            if (chosen) onFile(chosen)
          }}
        />
      </label>
    </div>
  )
}
