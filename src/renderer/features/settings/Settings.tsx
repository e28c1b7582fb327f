/** Settings by section; the section stands in the address, so that other screens can point at one. */
import { useLingui } from '@lingui/react/macro'
import { href, useRoute } from '../../app/route'
import { useStore } from '../../data/store'
import { Loading } from '../../ui/parts'
import { About } from './About'
import { General } from './General'
import { Mining } from './Mining'
import { Payout } from './Payout'
import { Trust } from './Trust'

export function Settings() {
  const { t } = useLingui()
  const { part } = useRoute()
  const settings = useStore((state) => state.settings)
  const sections = [
    { id: 'general', text: t`General` },
    { id: 'mining', text: t`Mining` },
    { id: 'payout', text: t`Payout` },
    { id: 'trust', text: t`Trust` },
    { id: 'about', text: t`About` },
  ]
  const chosen = sections.some((section) => section.id === part) ? part : 'general'
  return (
    <>
      <div className="title">
        <h1>{t`Settings`}</h1>
      </div>
      <div className="setgrid">
        <nav aria-label={t`Settings sections`}>
          <ul>
            {sections.map((section) => (
              <li key={section.id}>
                <a
                  className="subnav"
                  href={href('settings', section.id)}
                  aria-current={section.id === chosen ? 'page' : undefined}
                >
                  {section.text}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div className="stack">
          {settings === null && (chosen === 'general' || chosen === 'mining') && <Loading />}
          {settings !== null && chosen === 'general' && <General settings={settings} />}
          {settings !== null && chosen === 'mining' && <Mining settings={settings} />}
          {chosen === 'payout' && <Payout />}
          {chosen === 'trust' && <Trust />}
          {chosen === 'about' && <About />}
        </div>
      </div>
    </>
  )
}
