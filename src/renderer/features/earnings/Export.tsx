import { Menu } from '@base-ui/react/menu'
import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { EarningsPeriod } from '#shared/contract/earnings'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { download } from '../../data/download'
import { asFailure, toast } from '../../data/store'
import { Icon } from '../../ui/icons'

const DAY = 86_400_000

/** Credits of the chosen period as a file, one line a credit, for taxes or a second look. */
export function Export({ period }: { period: EarningsPeriod }) {
  const { t } = useLingui()
  const [busy, setBusy] = useState(false)
  const save = (format: 'csv' | 'json'): void => {
    setBusy(true)
    const from = periodStart(period, Date.now())
    client
      .call('earnings.export', { format, ...(from === null ? {} : { from }) })
      .then(({ fileName, text }) => {
        download(fileName, text, format === 'csv' ? 'text/csv' : 'application/json')
        toast(t`Exported`, fileName)
      })
      .catch((error: unknown) => reportFailure(asFailure(error)))
      .finally(() => setBusy(false))
  }
  return (
    <Menu.Root>
      <Menu.Trigger className="btn" disabled={busy}>
        <Icon name="export" small />
        <Trans>Export</Trans>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="menu-place" align="end" sideOffset={4}>
          <Menu.Popup className="menu">
            <Menu.Item onClick={() => save('csv')}>
              <Trans>CSV, a credit a line</Trans>
            </Menu.Item>
            <Menu.Item onClick={() => save('json')}>
              <Trans>JSON</Trans>
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}

/** The local midnight at which a period begins, UTC ms; null for everything. */
function periodStart(period: EarningsPeriod, now: number): number | null {
  if (period === 'all') return null
  const midnight = new Date(now)
  midnight.setHours(0, 0, 0, 0)
  const days = period === 'today' ? 0 : period === '7d' ? 6 : 29
  return days === 0 ? midnight.getTime() : new Date(midnight.getTime() - days * DAY + DAY / 2).setHours(0, 0, 0, 0)
}
