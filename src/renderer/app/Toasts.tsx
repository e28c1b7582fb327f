import { useLingui } from '@lingui/react/macro'
import { useEffect, useState } from 'react'
import { dismissToast, useStore, type Toast } from '../data/store'
import { Icon } from '../ui/icons'
import { Mark } from '../ui/parts'

const TOAST_MILLISECONDS = 6000

export function Toasts() {
  const { t } = useLingui()
  const toasts = useStore((state) => state.toasts)
  return (
    <output className="toasts" aria-label={t`Messages`}>
      {toasts.map((toast) => (
        <Note key={toast.id} toast={toast} />
      ))}
    </output>
  )
}

/** A message that disappears after six seconds, but not while the pointer is over it. */
function Note({ toast }: { toast: Toast }) {
  const { t } = useLingui()
  const [held, setHeld] = useState(false)
  useEffect(() => {
    if (held) return
    const timer = setTimeout(() => dismissToast(toast.id), TOAST_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [held, toast.id])
  return (
    <div className="toast" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
      <Mark state="mining" small icon="check" />
      <div>
        <b className="strong">{toast.title}</b>
        {toast.detail !== '' && <div className="soft">{toast.detail}</div>}
      </div>
      <button
        type="button"
        className="btn quiet sm icon"
        aria-label={t`Dismiss`}
        onClick={() => dismissToast(toast.id)}
      >
        <Icon name="close" small />
      </button>
    </div>
  )
}
