/** The `lode` command: options, commands, exit codes. What each command does is in commands/. */
import { Command, CommanderError, Option } from 'commander'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { jobKinds } from '#shared/domain/job'
import { tierNames } from '#shared/domain/tiers'
import { backendNames } from '#shared/domain/backend'
import { addressSet, addressShow } from './commands/address'
import { bench } from './commands/bench'
import { devices, devicesRetry } from './commands/devices'
import { driversAdd, driversList, driversRemove, driversRetry } from './commands/drivers'
import { driversCheck } from './commands/drivers-check'
import { jobSubmit } from './commands/job'
import { ledgerExport, ledgerVerify } from './commands/ledger'
import { mine, serve } from './commands/mine'
import {
  modelsAdd,
  modelsCatalogue,
  modelsGc,
  modelsGet,
  modelsList,
  modelsRemove,
  modelsVerify,
} from './commands/models'
import { proofDigest } from './commands/proof'
import { start, status, stop } from './commands/status'
import { throttle, throttleLevels } from './commands/throttle'
import { VERSION } from '#host/engine-host'
import type { CommandContext } from './command-context'
import {
  byteCount,
  decimalFrom,
  deviceIds,
  everyValue,
  hex64,
  nonce,
  positiveSeconds,
  utcMilliseconds,
  wattsOrOff,
  wholeNumber,
} from './option-values'
import { createOutput, EXIT_DONE, reportFailure } from './output'
import { dataFolder } from '#host/paths'

/** Known before the options are parsed, so that wrong usage is answered in the wanted form too. */
const wantsJson = process.argv.includes('--json')

const tier = (): Option => new Option('--tier <tier>', 'tier of the proof').choices(tierNames)
/** `--backend`, and the name that it had in 0.1: `--engine` means the same and stands in no help. */
const withBackend = (to: Command): Command =>
  to
    .addOption(new Option('--backend <backend>', 'what computes on the device').choices(backendNames))
    .addOption(new Option('--engine <backend>').choices(backendNames).hideHelp())
    .on('option:engine', (name: string) => to.setOptionValue('backend', name))

/** `--no-synthetic`, and the name that it had in 0.1: `--no-samples` means the same and stands in no help. */
const withSynthetic = (to: Command): Command =>
  to
    .option('--no-synthetic', 'without synthetic jobs')
    .addOption(new Option('--no-samples').hideHelp())
    .on('option:no-samples', () => to.setOptionValue('synthetic', false))

let exitCode = EXIT_DONE

// A reader that closes the pipe (`lode ledger export | head`) ends no command: what is still printed is dropped.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

/** Commander's handler of a command: gives `work` its context, and prints what it throws. `work` may return an exit code. */
function action<O>(work: (context: CommandContext, options: O, ...operands: string[]) => Promise<void | number>) {
  return async (...received: unknown[]): Promise<void> => {
    const command = received.at(-1) as Command
    const options = command.optsWithGlobals() as O & { dataDir?: string }
    const operands = received.slice(0, -2) as string[]
    try {
      exitCode =
        (await work({ output: createOutput(wantsJson), dataDir: dataFolder(options.dataDir) }, options, ...operands)) ??
        EXIT_DONE
    } catch (error) {
      exitCode = reportFailure(error, wantsJson)
    }
  }
}

const program = new Command('lode')
  .description('Mine with useful AI work.')
  .version(VERSION)
  .option('--json', 'one JSON value on standard output (events and exports: one object a line)')
  .option('--data-dir <folder>', 'where ledger, settings and models live (or LODE_DATA_DIR)')
  .exitOverride()
  .configureOutput({ writeErr: () => undefined, outputError: () => undefined })
  .enablePositionalOptions(false)

const command = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .allowExcessArguments(false)
    .option('--json', 'JSON on standard output')
    .option('--data-dir <folder>', 'data folder')

const devicesCommand = command(program, 'devices', 'what can compute here')
  .option('--device <id>', 'the device whose power limit is set')
  .option('--power-limit <watts>', 'while it mines; "off": as the device has it', wattsOrOff)
  .action(action(devices))
command(devicesCommand, 'retry', 'try a device again that stopped or is quarantined')
  .argument('<id>')
  .action(action(devicesRetry))

const proof = program.command('proof').description('the integer transformer proof')
withBackend(command(proof, 'digest', 'the digest of one nonce'))
  .addOption(tier().makeOptionMandatory())
  .requiredOption('--epoch <hex64>', "the epoch's seed", hex64)
  .requiredOption('--public-key <hex64>', "the rig's public key", hex64)
  .requiredOption('--nonce <n>', 'the nonce', nonce)
  .action(action(proofDigest))

withBackend(command(program, 'bench', 'measure a device and check that it computes correctly'))
  .option('--device <id>', 'device; cpu0 when left out')
  .addOption(tier())
  .option('--seconds <n>', 'how long; 8 when left out', wholeNumber(1, 120))
  .option('--stress <minutes>', 'check every digest and the temperature instead', decimalFrom(0.05, 1440))
  .option('--history', 'what was measured before')
  .option('--export <file>', 'also write it, signed, for others to verify')
  .option('--verify <file>', 'check a file that --export wrote, on any machine')
  .action(action(bench))

withSynthetic(withBackend(command(program, 'mine', 'mine, with the screens on a local address')))
  .addOption(new Option('--network <name>', 'where to mine').choices(['practice']).default('practice'))
  .option('--for <seconds>', 'stop by itself after so many seconds', positiveSeconds)
  .option('--max-credits <n>', 'stop by itself after so many accepted credits', wholeNumber(1, 1_000_000_000))
  .addOption(tier())
  .option('--devices <ids>', 'only these devices, separated by commas', deviceIds)
  .option('--threads <n>', 'threads of the CPU', wholeNumber(1, 1024))
  .option('--port <n>', 'port of the screens; a free one when left out', wholeNumber(1, 65_535))
  .option('--no-dashboard', 'without the screens')
  .option('--no-fetch', 'without fetching models')
  .option('--epoch-seconds <n>', 'length of an epoch of the practice network', wholeNumber(10, 86_400))
  .action(action(mine))

command(program, 'serve', 'the engine and its screens, mining only once started there')
  .option('--port <n>', 'port of the screens; a free one when left out', wholeNumber(1, 65_535))
  .action(action(serve))

command(program, 'status', 'what the engine of this data folder does').action(action(status))
command(program, 'start', 'start mining in the running engine').action(action(start))
command(program, 'stop', 'stop mining in the running engine')
  .option('--finish', 'finish running jobs first')
  .action(action(stop))

command(program, 'throttle', 'how much of each device mining may take: in use, idle, at night')
  .addOption(new Option('--level <level>', 'the level to change; shows all when left out').choices(throttleLevels))
  .option('--threads-share <percent>', "share of the device's threads", decimalFrom(1, 100))
  .option('--duty <percent>', 'share of the time at work; 0: no proving at this level', decimalFrom(0, 100))
  .option('--from <time>', 'when the night begins, 22:00')
  .option('--to <time>', 'when the night ends, 07:00')
  .option('--off', 'the night is like any other hour')
  .action(action(throttle))

const job = program.command('job').description('useful work')
command(job, 'submit', 'give it a job and wait for the result')
  .addOption(new Option('--kind <kind>', 'kind of job').choices(jobKinds).makeOptionMandatory())
  .requiredOption('--input <file>', 'a file, or - for standard input')
  .option('--model <id>', 'which model; the first that can when left out')
  .option('--max-tokens <n>', 'how many tokens a chat may answer with', wholeNumber(1, 8192))
  .option('--temperature <t>', 'how freely a chat chooses its words; 0: always the likeliest', decimalFrom(0, 5))
  .option('--top-p <p>', 'of the likeliest words those that make up this share', decimalFrom(0.001, 1))
  .option('--seed <n>', 'the same seed gives the same answer', wholeNumber(0, 0xffff_ffff))
  .option('--stop <text>', 'ends the answer before this text; may be given again', everyValue)
  .option('--within <seconds>', 'fail unless it is done within this time', positiveSeconds)
  .option('--stream', "print a chat's answer as it is written")
  .action(action(jobSubmit))

const models = program.command('models').description('models on this computer')
command(models, 'list', 'what is installed').action(action(modelsList))
command(models, 'catalogue', 'what can be fetched, and whether it fits this computer')
  .option('--context <tokens>', 'context that the memory is computed for', wholeNumber(1, 1_000_000))
  .action(action(modelsCatalogue))
command(models, 'get', 'fetch a model of the catalogue, or go on with it')
  .argument('<id>')
  .option('--anyway', 'also where it does not fit the memory')
  .action(action(modelsGet))
command(models, 'add', 'add a model from a GGUF, safetensors or ONNX file or a folder')
  .argument('<path>')
  .action(action(modelsAdd))
command(models, 'remove', 'remove a model').argument('<id>').action(action(modelsRemove))
command(models, 'gc', 'remove the least recently earning models above a quota')
  .requiredOption('--quota <bytes>', 'how much may stay: bytes, or with MB or GB', byteCount)
  .option('--dry-run', 'say what would be removed')
  .action(action(modelsGc))
command(models, 'verify', 'check every file of every model').action(action(modelsVerify))

const drivers = program.command('drivers').description('drivers of other devices')
command(drivers, 'list', 'what was added').action(action(driversList))
command(drivers, 'add', 'add a driver after showing what it is')
  .argument('<path>')
  .option('--yes', 'approve it without being asked')
  .action(action(driversAdd))
command(drivers, 'remove', 'remove a driver').argument('<name>').action(action(driversRemove))
command(drivers, 'retry', 'end a quarantine and try the driver again').argument('<name>').action(action(driversRetry))
command(drivers, 'check', 'whether Lode can use a driver: the conformance kit')
  .argument('<path>')
  .option('--seconds <n>', 'of the run that repeats nonces; 60 when left out', positiveSeconds)
  .option('--time-limit <seconds>', 'when a check counts as hanging; 120 when left out', positiveSeconds)
  .action(action(driversCheck))

const ledger = program.command('ledger').description('credits and receipts')
command(ledger, 'export', 'every credit, one a line')
  .option('--csv', 'as CSV')
  .option('--from <date>', 'from this moment on', utcMilliseconds)
  .option('--to <date>', 'before this moment', utcMilliseconds)
  .action(action(ledgerExport))
command(ledger, 'verify', 'recompute sums and check every signature').action(action(ledgerVerify))

const address = program.command('address').description('where payouts go')
command(address, 'set', 'set the payout address')
  .argument('<address>')
  .requiredOption('--confirm <last6>', 'its last six characters')
  .action(action(addressSet))
command(address, 'show', 'show the payout address').action(action(addressShow))

/** The failure of wrong usage, with one line that says what is right. */
function usageFailure(error: CommanderError): Failure {
  const problem = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
  const names = program.commands.flatMap((entry) => [
    ...(entry.commands.length === 0 || entry === devicesCommand ? [entry.name()] : []),
    ...entry.commands.map((sub) => `${entry.name()} ${sub.name()}`),
  ])
  const given = process.argv.slice(2)
  const typed = given.filter((value, index) => !value.startsWith('-') && given[index - 1] !== '--data-dir')
  const found = program.commands.find((entry) => entry.name() === typed[0])
  const deepest = found?.commands.find((entry) => entry.name() === typed[1]) ?? found
  const usage =
    deepest === undefined || deepest.commands.length > 0
      ? `Commands: ${names.join(', ')}.`
      : `Usage: lode ${found === deepest ? '' : `${found?.name()} `}${deepest.name()} ${deepest.usage()} with ${deepest.options.flatMap(({ hidden, flags }) => (hidden ? [] : [flags])).join(', ')}.`
  return new Failure('wrong-usage', message('command-wrong-usage', { problem, usage }))
}

// commander takes an unknown sub-command of a group for excess help; it is wrong usage like any other.
for (const group of [proof, job, models, drivers, ledger, address]) {
  group.configureOutput({ writeErr: () => undefined, outputError: () => undefined }).exitOverride()
}

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  const isAnswer = error.code === 'commander.helpDisplayed' || error.code === 'commander.version'
  if (!isAnswer) {
    const failure = error.code === 'commander.help' ? new CommanderError(2, error.code, 'a command is missing') : error
    exitCode = reportFailure(usageFailure(failure), wantsJson)
  }
}
process.exitCode = exitCode
// The command ends here and not when the event loop is empty: a library's idle handle must not keep it alive.
process.stdout.write('', () => process.exit(exitCode))
