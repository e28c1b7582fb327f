import { Trans, useLingui } from '@lingui/react/macro'
import { useAnswer } from '../../data/answer'
import { shortId } from '../../ui/format'
import { Empty, Loaded, Panel } from '../../ui/parts'

/** Every program, library and model in use, with version, hash, origin and licence. */
export function Trust() {
  const { t } = useLingui()
  const answer = useAnswer('about.get', null)
  return (
    <>
      <Panel title={t`What leaves this computer`}>
        <div className="in">
          <Loaded answer={answer}>
            {(about) =>
              about.sendsOut.length === 0 ? (
                <p className="soft">
                  <Trans>Nothing.</Trans>
                </p>
              ) : (
                <ul className="soft sentences">
                  {about.sendsOut.map((sentence) => (
                    <li key={sentence}>{sentence}</li>
                  ))}
                </ul>
              )
            }
          </Loaded>
        </div>
      </Panel>
      <Panel title={t`What runs here`}>
        <div className="rule-top">
          <Loaded answer={answer}>
            {(about) =>
              about.trust.length === 0 ? (
                <Empty title={t`Nothing listed`}>
                  <Trans>
                    Programs, libraries and models appear here with their hashes once the engine has read them.
                  </Trans>
                </Empty>
              ) : (
                <div className="scroll-x">
                  <table className="tbl trust">
                    <caption className="sr">{t`What runs here`}</caption>
                    <thead>
                      <tr>
                        <th>{t`Name`}</th>
                        <th>{t`Kind`}</th>
                        <th>{t`Version`}</th>
                        <th>{t`SHA-256`}</th>
                        <th>{t`Origin`}</th>
                        <th>{t`Licence`}</th>
                      </tr>
                    </thead>
                    <tbody>
                      {about.trust.map((item) => (
                        <tr key={`${item.kind} ${item.name}`}>
                          <td title={item.name}>{item.name}</td>
                          <td>{item.kind}</td>
                          <td title={item.version}>{item.version}</td>
                          <td className="mono" title={item.sha256 ?? t`not hashed`}>
                            {item.sha256 === null ? '–' : shortId(item.sha256)}
                          </td>
                          <td title={item.origin}>{item.origin}</td>
                          <td title={item.licence}>{item.licence}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              )
            }
          </Loaded>
        </div>
      </Panel>
    </>
  )
}
