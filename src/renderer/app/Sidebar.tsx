/** Navigation, and at its foot which rig and network this is and how far the epoch has come. */
import { Plural, Trans, useLingui } from '@lingui/react/macro'
import type { EngineStatus } from '#shared/contract/engine'
import { useNow } from '../data/live'
import { count, minutesSeconds } from '../ui/format'
import { Icon, Logo, type IconName } from '../ui/icons'
import { useSay } from '../ui/say'
import { href, type Screen } from './route'
import { busyDevices, networkName } from './words'

export function Sidebar({ status, screen }: { status: EngineStatus; screen: Screen }) {
  const { t } = useLingui()
  const busy = busyDevices(status)
  const faulted = status.devices.filter((device) => device.state === 'faulted').length
  const item = (name: Screen, icon: IconName, text: string, end?: React.ReactNode) => (
    <a href={href(name)} title={text} aria-current={screen === name ? 'page' : undefined}>
      <Icon name={icon} />
      <span>{text}</span>
      {end}
    </a>
  )
  const devicesEnd =
    faulted > 0 ? (
      <em className="end warn" title={t`stopped by a fault`}>
        <Icon name="warning" small />
        <span>
          <Plural value={faulted} one="# stopped" other="# stopped" />
        </span>
      </em>
    ) : busy > 0 ? (
      <em className="end">
        <span>{count(busy)}</span>
      </em>
    ) : null
  return (
    <nav className="side" aria-label={t`Main`}>
      <div className="brand">
        <Logo />
        <span>Lode</span>
      </div>
      <div className="nav">
        {item('home', 'home', t`Home`)}
        {item('devices', 'devices', t`Devices`, devicesEnd)}
        {item('jobs', 'jobs', t`Jobs`)}
        {item('models', 'models', t`Models`)}
      </div>
      <div className="nav">{item('earnings', 'earnings', t`Earnings`)}</div>
      <div className="nav">{item('settings', 'settings', t`Settings`)}</div>
      <Foot status={status} />
    </nav>
  )
}

function Foot({ status }: { status: EngineStatus }) {
  const now = useNow()
  const { epoch, hasMarketValue } = status.network
  const network = networkName(status, useSay())
  return (
    <div className="foot">
      <b className="cut" title={status.rig.key}>
        {status.rig.name}
      </b>
      <span>{hasMarketValue ? network : <Trans>{network}, no market value</Trans>}</span>
      {epoch && now < epoch.endsAt && (
        <EpochBar
          number={epoch.number}
          doneMilliseconds={now - epoch.startsAt}
          lengthMilliseconds={epoch.endsAt - epoch.startsAt}
        />
      )}
    </div>
  )
}

function EpochBar({
  number,
  doneMilliseconds,
  lengthMilliseconds,
}: {
  number: number
  doneMilliseconds: number
  lengthMilliseconds: number
}) {
  const { t } = useLingui()
  const tenths = (Math.max(0, doneMilliseconds) / lengthMilliseconds) * 10
  const now = Math.floor(tenths)
  const label = t`Epoch ${count(number)}, ${minutesSeconds(doneMilliseconds)} of ${minutesSeconds(lengthMilliseconds)}`
  return (
    <>
      <div
        className="epoch"
        style={{ '--p': `${Math.round((tenths - now) * 100)}%` } as React.CSSProperties}
        title={label}
      >
        {TENTHS.map((tenth) => (
          <i key={tenth} className={tenth < now ? 'on' : tenth === now ? 'now' : ''} />
        ))}
      </div>
      <span>{label}</span>
    </>
  )
}

const TENTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
