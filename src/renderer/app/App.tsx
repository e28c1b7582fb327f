/** The frame: sidebar, header, the chosen screen, or one clear page when there is no engine to talk to. */
import { Suspense, useEffect, useState } from 'react'
import { useStore } from '../data/store'
import { Loading, Problem } from '../ui/parts'
import { Header } from './Header'
import { NoEngine } from './NoEngine'
import { Notices } from './Notices'
import { useRoute } from './route'
import { ScreenFault } from './ScreenFault'
import { loadScreens, screens } from './screens'
import { Sidebar } from './Sidebar'
import { useTheme } from './theme'
import { Toasts } from './Toasts'

export function App() {
  const link = useStore((state) => state.link)
  const status = useStore((state) => state.status)
  const failure = useStore((state) => state.failure)
  const { screen } = useRoute()
  const [pages, setPages] = useState(screens)
  const [attempt, setAttempt] = useState(0)
  const answered = status !== null
  useTheme()
  useEffect(() => {
    document.querySelector('main')?.scrollTo(0, 0)
  }, [screen])
  useEffect(() => {
    if (answered) void loadScreens()
  }, [answered])

  if (link === 'refused' || (link === 'lost' && status === null)) return <NoEngine link={link} />
  if (status === null) {
    return (
      <div className="full">
        {failure ? <Problem failure={failure} onRetry={() => window.location.reload()} /> : <Loading />}
      </div>
    )
  }
  const Page = pages[screen]
  const retry = (): void => {
    setPages(screens)
    setAttempt(attempt + 1)
  }
  return (
    <div className="app">
      <Sidebar status={status} screen={screen} />
      <div className="body">
        <Header status={status} link={link} />
        <main className="main" tabIndex={-1}>
          <Notices status={status} />
          <ScreenFault key={`${screen} ${attempt}`} onRetry={retry}>
            <Suspense fallback={<Loading />}>
              <Page />
            </Suspense>
          </ScreenFault>
        </main>
      </div>
      <Toasts />
    </div>
  )
}
