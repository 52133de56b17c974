import { toError } from './errors.js'
import { logLevel } from './types.js'
import type { LogEntry, Logger, logCreator } from './types.js'

const LABELS = { ERROR: logLevel.ERROR, WARN: logLevel.WARN, INFO: logLevel.INFO, DEBUG: logLevel.DEBUG } as const

const isLevelName = (name: string): name is keyof typeof logLevel => Object.hasOwn(logLevel, name)

/** The level of the environment, which wins over every level in code; null where it names none. */
function environmentLevel(): logLevel | null {
  const name = (process.env['RIVULET_LOG_LEVEL'] ?? process.env['KAFKAJS_LOG_LEVEL'] ?? '').toUpperCase()
  return isLevelName(name) ? logLevel[name] : null
}

/** The default of `logCreator`: a line of JSON on the console, by the console's method for the level. */
const consoleLogCreator: logCreator =
  () =>
  ({ namespace, level, label, log }: LogEntry) => {
    const line = JSON.stringify({
      level: label,
      ...log,
      message: `${namespace ? `[${namespace}] ` : ''}${log.message}`,
    })
    if (level === logLevel.ERROR) console.error(line)
    else if (level === logLevel.WARN) console.warn(line)
    else if (level === logLevel.INFO) console.info(line)
    else if (level === logLevel.DEBUG) console.log(line)
  }

/**
 * A logger of kafkajs's kind. Loggers made by `namespace()` follow the level of their root (`setLogLevel` on any of them
 * sets it), unless they were given a level of their own.
 *
 * @param options level: INFO by default; the environment variable RIVULET_LOG_LEVEL (or KAFKAJS_LOG_LEVEL) wins over it.
 *   logCreator: called once with the level, gives the function that gets every entry
 */
export function createLogger(
  options: { level?: logLevel | undefined; logCreator?: logCreator | undefined } = {},
): Logger {
  const { level = logLevel.INFO, logCreator = consoleLogCreator } = options
  let rootLevel: logLevel = environmentLevel() ?? level
  const write = logCreator(rootLevel)

  const create = (namespace: string | undefined, ownLevel: logLevel | null): Logger => {
    const at =
      (label: keyof typeof LABELS) =>
      (message: string, extra: object = {}): void => {
        const entryLevel = LABELS[label]
        if (entryLevel > (ownLevel ?? rootLevel)) return
        try {
          write({
            // kafkajs's type says string, its root logger has none
            namespace: namespace ?? '',
            level: entryLevel,
            label,
            log: { timestamp: new Date().toISOString(), logger: 'rivulet', message, ...extra },
          })
        } catch (error) {
          // It would end whatever was to be logged: a send, a fetch.
          process.emitWarning(`The logger has failed: ${toError(error).message}`)
        }
      }
    return {
      info: at('INFO'),
      error: at('ERROR'),
      warn: at('WARN'),
      debug: at('DEBUG'),
      namespace: (name, namespaceLevel) => create(name, environmentLevel() ?? namespaceLevel ?? null),
      setLogLevel: (newLevel) => {
        rootLevel = newLevel
      },
    }
  }
  return create(undefined, null)
}
