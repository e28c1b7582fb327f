/** A dialog with head, scrolling middle and footer. Escape cancels; focus returns (Base UI). */
import type { ReactNode } from 'react'
import { Dialog as BaseDialog } from '@base-ui/react/dialog'

interface DialogProps {
  open: boolean
  onClose: () => void
  title: ReactNode
  description?: ReactNode
  footer?: ReactNode
  /** the dialog is 52 rem wide instead of 35 */
  wide?: boolean
  children: ReactNode
}

export function Dialog({ open, onClose, title, description, footer, wide = false, children }: DialogProps) {
  return (
    <BaseDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="scrim" />
        <div className="scrim-place">
          <BaseDialog.Popup className={`dialog ${wide ? 'wide' : ''}`}>
            <header>
              <BaseDialog.Title>{title}</BaseDialog.Title>
              {description !== undefined && (
                <BaseDialog.Description className="soft">{description}</BaseDialog.Description>
              )}
            </header>
            <div className="in">{children}</div>
            {footer !== undefined && <footer>{footer}</footer>}
          </BaseDialog.Popup>
        </div>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  )
}
