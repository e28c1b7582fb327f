import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import { useAnswer } from '../../data/answer'
import { useStore } from '../../data/store'
import { dayClock } from '../../ui/format'
import { Empty, Loaded, Panel, Setting } from '../../ui/parts'
import { AddressDialog } from './AddressDialog'

export function Payout() {
  const { t } = useLingui()
  const status = useStore((state) => state.status)
  const address = useAnswer('address.show', null)
  const history = useAnswer('address.history', null)
  const [open, setOpen] = useState(false)
  const pays = status?.network.hasMarketValue ?? false
  const changed = (): void => {
    setOpen(false)
    address.reload()
    history.reload()
  }
  return (
    <>
      <Panel title={t`Where the money goes`}>
        <div className="rule-top">
          <Loaded answer={address}>
            {(current) => (
              <Setting
                name={<Trans>Address</Trans>}
                help={
                  <>
                    {current ? t`In use since ${dayClock(Date.parse(current.effectiveAt))}.` : t`None set.`}{' '}
                    {!pays && t`Practice pays nothing; a network that pays would use it.`}
                  </>
                }
              >
                <span className="row address-row">
                  {current && (
                    <span className="mono cut" title={current.address}>
                      {current.address.slice(0, 8)}…{current.address.slice(-6)}
                    </span>
                  )}
                  <button type="button" className="btn" onClick={() => setOpen(true)}>
                    {current ? <Trans>Change</Trans> : <Trans>Set an address</Trans>}
                  </button>
                </span>
              </Setting>
            )}
          </Loaded>
        </div>
      </Panel>
      <Panel title={t`Addresses so far`}>
        <div className="rule-top">
          <Loaded answer={history}>
            {(rows) =>
              rows.length === 0 ? (
                <Empty title={t`No address yet`}>
                  <Trans>Every address that was ever set stays listed here, with its time.</Trans>
                </Empty>
              ) : (
                <table className="tbl">
                  <caption className="sr">{t`Addresses so far`}</caption>
                  <colgroup>
                    <col className="w-when" />
                    <col />
                    <col className="w-kind" />
                  </colgroup>
                  <thead>
                    <tr>
                      <th>{t`In use`}</th>
                      <th>{t`Address`}</th>
                      <th>{t`Kind`}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row) => (
                      <tr key={row.setAt}>
                        <td>
                          {row.replacedAt === null
                            ? t`since ${dayClock(Date.parse(row.setAt))}`
                            : t`until ${dayClock(Date.parse(row.replacedAt))}`}
                        </td>
                        <td className="mono" title={row.address}>
                          {row.address}
                        </td>
                        <td>{row.type}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )
            }
          </Loaded>
        </div>
      </Panel>
      {open && <AddressDialog onClose={() => setOpen(false)} onChanged={changed} />}
    </>
  )
}
