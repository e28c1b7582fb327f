import './data/jitless'
import '@fontsource-variable/inter'
import '@fontsource-variable/jetbrains-mono'
import './app/styles.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { CSPProvider } from '@base-ui/react/csp-provider'
import { i18n } from '@lingui/core'
import { I18nProvider } from '@lingui/react'
import { App } from './app/App'
import { openStore } from './data/store'
import { messages } from './locales/en.po'

i18n.load('en', messages)
i18n.activate('en')
openStore()

const root = document.getElementById('root')
if (!root) throw new Error('the page has no root element')
createRoot(root).render(
  <StrictMode>
    <I18nProvider i18n={i18n}>
      <CSPProvider disableStyleElements>
        <App />
      </CSPProvider>
    </I18nProvider>
  </StrictMode>,
)
