import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { createLogger } from './logger.js'
import { logLevel } from './types.js'
import type { LogEntry } from './types.js'

const LEVEL_VARIABLES = ['RIVULET_LOG_LEVEL', 'KAFKAJS_LOG_LEVEL']

describe('createLogger', () => {
  const environment = { ...process.env }
  beforeEach(() => LEVEL_VARIABLES.forEach((name) => delete process.env[name]))
  afterEach(() => {
    for (const name of LEVEL_VARIABLES) delete process.env[name]
    Object.assign(process.env, environment)
    jest.restoreAllMocks()
  })

  const collect = (level?: logLevel) => {
    const entries: LogEntry[] = []
    const levels: logLevel[] = []
    const logger = createLogger({
      level,
      logCreator: (at) => {
        levels.push(at)
        return (entry) => entries.push(entry)
      },
    })
    return { logger, entries, levels, labels: () => entries.map(({ label }) => label) }
  }

  const logAll = (logger: ReturnType<typeof createLogger>): void => {
    logger.error('e')
    logger.warn('w')
    logger.info('i')
    logger.debug('d')
  }

  it('gives its function namespace, level, label and the entry with its extras', () => {
    const { logger, entries, levels } = collect()
    logger.namespace('Producer').warn('slow', { topic: 'orders' })
    expect(levels).toEqual([logLevel.INFO])
    expect(entries).toEqual([
      {
        namespace: 'Producer',
        level: logLevel.WARN,
        label: 'WARN',
        log: { timestamp: expect.stringMatching(/^\d{4}-.*Z$/), logger: 'rivulet', message: 'slow', topic: 'orders' },
      },
    ])
  })

  it.each([
    [logLevel.NOTHING, []],
    [logLevel.ERROR, ['ERROR']],
    [logLevel.WARN, ['ERROR', 'WARN']],
    [undefined, ['ERROR', 'WARN', 'INFO']],
    [logLevel.DEBUG, ['ERROR', 'WARN', 'INFO', 'DEBUG']],
  ])('logs everything up to its level (%s)', (level, expected) => {
    const { logger, labels } = collect(level)
    logAll(logger)
    expect(labels()).toEqual(expected)
  })

  it('sets the level of all loggers but those that have their own', () => {
    const { logger, labels } = collect(logLevel.ERROR)
    const own = logger.namespace('Storage', logLevel.NOTHING)
    const other = logger.namespace('Admin')
    other.setLogLevel(logLevel.WARN)
    logAll(logger)
    logAll(own)
    expect(labels()).toEqual(['ERROR', 'WARN'])
  })

  it.each(LEVEL_VARIABLES)('lets the environment win (%s)', (variable) => {
    process.env[variable] = 'debug'
    const { logger, labels, levels } = collect(logLevel.NOTHING)
    logger.namespace('Storage', logLevel.NOTHING).debug('d')
    expect([levels, labels()]).toEqual([[logLevel.DEBUG], ['DEBUG']])
  })

  it('ignores a level that the environment names wrongly', () => {
    process.env['KAFKAJS_LOG_LEVEL'] = 'toString'
    const { logger, labels } = collect(logLevel.ERROR)
    logAll(logger)
    expect(labels()).toEqual(['ERROR'])
  })

  it('writes lines of JSON to the console by default', () => {
    const info = jest.spyOn(console, 'info').mockImplementation(() => undefined)
    createLogger().namespace('Admin').info('hello', { n: 1 })
    expect(JSON.parse(String(info.mock.calls[0]?.[0]))).toEqual({
      level: 'INFO',
      timestamp: expect.any(String),
      logger: 'rivulet',
      message: '[Admin] hello',
      n: 1,
    })
  })
})
