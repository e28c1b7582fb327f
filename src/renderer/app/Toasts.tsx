import { useLingui } from '@lingui/react/macro'
import { dismissToast, useStore } from '../data/store'
import { Icon } from '../ui/icons'
import { Mark } from '../ui/parts'

export function Toasts() {
  const { t } = useLingui()
  const toasts = useStore((state) => state.toasts)
  return (
    <output className="toasts" aria-label={t`Messages`}>
      {toasts.map((toast) => (
        <div className="toast" key={toast.id}>
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
      ))}
    </output>
  )
}
