/** The whole window when nothing answers: what is wrong and what to do. */
import { Trans } from '@lingui/react/macro'
import { Mark } from '../ui/parts'

export function NoEngine({ link }: { link: 'refused' | 'lost' }) {
  return (
    <main className="full">
      <div role="alert">
        <Mark state={link === 'refused' ? 'warning' : 'error'} />
        {link === 'refused' ? (
          <>
            <h1>
              <Trans>Open the link that Lode printed</Trans>
            </h1>
            <p className="soft">
              <Trans>
                This page needs the key that is part of that link. It looks like{' '}
                <span className="mono">http://127.0.0.1:…/#token=…</span> and stands in the terminal where Lode was
                started. The key changes with each start.
              </Trans>
            </p>
          </>
        ) : (
          <>
            <h1>
              <Trans>Lode does not answer</Trans>
            </h1>
            <p className="soft">
              <Trans>
                It may have been closed. Start it again and open the link that it prints; this page keeps trying
                meanwhile.
              </Trans>
            </p>
          </>
        )}
        <button type="button" className="btn" onClick={() => window.location.reload()}>
          <Trans>Try again now</Trans>
        </button>
      </div>
    </main>
  )
}
