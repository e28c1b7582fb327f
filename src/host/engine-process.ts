/** The desktop's engine process: the same engine as `lode mine`, with the window as one more client. */
import { toFailureValue } from '#shared/domain/errors'
import type { ClientMessage } from '#shared/contract/rpc'
import { connectDesktop } from '#process/desktop'
import { engineStart } from '#process/desktop-messages'
import { startArgument } from '#process/parent'
import { openClientSession } from '#server/client-session'
import { hostEngine, VERSION, type HostedEngine } from './engine-host'
import { dataFolder, programFolder } from './paths'

const link = await connectDesktop(programFolder)
let hosted: HostedEngine | null = null

const quit = async (): Promise<void> => {
  await hosted?.close()
  process.exit(0)
}

try {
  const { dataDir } = engineStart.parse(startArgument())
  hosted = await hostEngine({ dataDir: dataFolder(dataDir), port: 0, dashboard: true, processHost: link.host })
  const { engine, logFault } = hosted
  link.onClient((port) => {
    const session = openClientSession(engine.api, { send: (message) => port.send(message) }, logFault)
    port.onMessage((message) => session.receive(message as ClientMessage))
    port.onClose(() => session.close())
  })
  link.onQuit(() => void quit())
  engine.onQuitRequested(() => link.quit())
  link.ready({ version: VERSION })
  // The shell starts a crashed engine again: mining that the crash interrupted goes on.
  const { interruptedMining } = engine
  if (interruptedMining !== null) {
    engine.api.handlers['engine.start'](interruptedMining).catch((error: unknown) => logFault('resume', error))
  }
} catch (error) {
  link.failed(toFailureValue(error))
  await hosted?.close()
  process.exit(1)
}
