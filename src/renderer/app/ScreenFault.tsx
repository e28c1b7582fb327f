/** Catches a screen that does not load or throws while it is drawn. The frame stays, and the person can try the screen again. */
import { Component, type ReactNode } from 'react'
import { Trans } from '@lingui/react/macro'

interface ScreenFaultProps {
  /** draws the screen anew */
  onRetry: () => void
  children: ReactNode
}

export class ScreenFault extends Component<ScreenFaultProps, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    return (
      <section className="panel">
        <div className="empty error" role="alert">
          <b className="strong">
            <Trans>This screen could not be shown</Trans>
          </b>
          <p>
            <Trans>
              Lode may have been closed before it was opened for the first time. Try again once Lode answers.
            </Trans>
          </p>
          <button type="button" className="btn" onClick={this.props.onRetry}>
            <Trans>Try again</Trans>
          </button>
        </div>
      </section>
    )
  }
}
