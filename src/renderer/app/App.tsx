/** The frame: sidebar, header, the chosen screen, or one clear page when there is no engine to talk to. */
import { lazy, Suspense, useEffect } from 'react'
import { useStore } from '../data/store'
import { Home } from '../features/home/Home'
import { Loading, Problem } from '../ui/parts'
import { Header } from './Header'
import { NoEngine } from './NoEngine'
import { Notices } from './Notices'
import { useRoute, type Screen } from './route'
import { Sidebar } from './Sidebar'
import { useTheme } from './theme'
import { Toasts } from './Toasts'

const Devices = lazy(async () => ({ default: (await import('../features/devices/Devices')).Devices }))
const Jobs = lazy(async () => ({ default: (await import('../features/jobs/Jobs')).Jobs }))
const Models = lazy(async () => ({ default: (await import('../features/models/Models')).Models }))
const Earnings = lazy(async () => ({ default: (await import('../features/earnings/Earnings')).Earnings }))
const Settings = lazy(async () => ({ default: (await import('../features/settings/Settings')).Settings }))
const PAGES: Record<Screen, React.ComponentType> = {
  home: Home,
  devices: Devices,
  jobs: Jobs,
  models: Models,
  earnings: Earnings,
  settings: Settings,
}

export function App() {
  const link = useStore((state) => state.link)
  const status = useStore((state) => state.status)
  const failure = useStore((state) => state.failure)
  const { screen } = useRoute()
  useTheme()
  useEffect(() => {
    document.querySelector('main')?.scrollTo(0, 0)
  }, [screen])

  if (link === 'refused' || (link === 'lost' && status === null)) return <NoEngine link={link} />
  if (status === null) {
    return (
      <div className="full">
        {failure ? <Problem failure={failure} onRetry={() => window.location.reload()} /> : <Loading />}
      </div>
    )
  }
  const Page = PAGES[screen]
  return (
    <div className="app">
      <Sidebar status={status} screen={screen} />
      <div className="body">
        <Header status={status} link={link} />
        <main className="main" tabIndex={-1}>
          <Notices status={status} />
          <Suspense fallback={<Loading />}>
            <Page />
          </Suspense>
        </main>
      </div>
      <Toasts />
    </div>
  )
}
