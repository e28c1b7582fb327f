/** ProcessHost on Node: child_process.fork with structured clone. */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { ManagedProcess, ProcessExit, ProcessHost, ProgramName } from './host'

/** `programFolder` holds worker.js and sensors.js. Their standard output is dropped, their standard error is that of this process. */
export function createNodeProcessHost(programFolder: string): ProcessHost {
  return {
    start: (program: ProgramName, start: unknown) =>
      new Promise<ManagedProcess>((resolve, reject) => {
        const child = fork(join(programFolder, `${program}.js`), [JSON.stringify(start)], {
          serialization: 'advanced',
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
          execArgv: [],
        })
        const exited = new Promise<ProcessExit>((settle) => {
          child.once('exit', (code, signal) => settle({ code, signal }))
        })
        // The listener stays: a signal that cannot be sent is an 'error' event too, and an 'error' event without a listener ends the engine.
        child.on('error', reject)
        child.once('spawn', () => {
          resolve({
            pid: child.pid ?? -1,
            exited,
            kill: () => void child.kill('SIGKILL'),
            port: {
              send: (message) => {
                if (child.connected) child.send(message as object, () => undefined)
              },
              onMessage: (listener) => void child.on('message', listener),
              onClose: (listener) => void child.once('disconnect', listener),
              close: () => {
                if (child.connected) child.disconnect()
              },
            },
          })
        })
      }),
  }
}
