/** What becomes of messages whose handler fails. Without it they are tried again for ever, as Nest on Kafka does. */
export interface FailureOptions {
  /**
   * How often a message is handed to its handler in all, restarts of the application included (5). The waits between are
   * those of `consumer.retry`; other partitions go on meanwhile.
   */
  attempts?: number
  /**
   * Whether another attempt may help. By default not for an error that says `retriable: false`, nor, where
   * `RivuletExceptionFilter` is in place, for a Nest HttpException of 400 to 499 (a failed validation is one).
   */
  isRetriable?: (error: unknown) => boolean
  /**
   * The topic for messages that were given up: a name, or a function of the message's topic; by default that topic's name
   * with `.dlt` after it. false: they are logged and passed over.
   */
  deadLetterTopic?: string | false | ((topic: string) => string)
}

export interface FailurePolicy {
  readonly attempts: number
  readonly isRetriable: (error: unknown) => boolean
  /** null: there are no dead letters. */
  readonly deadLetterTopic: (topic: string) => string | null
}

const DEFAULT_ATTEMPTS = 5

/** @throws Error naming the option that is wrong and its value */
export function parseFailureOptions(options: FailureOptions): FailurePolicy {
  const { attempts = DEFAULT_ATTEMPTS, isRetriable = isRetriableByDefault, deadLetterTopic } = options
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    throw new Error(`failures.attempts must be a whole number from 1 on, not ${String(attempts)}`)
  }
  return { attempts, isRetriable, deadLetterTopic: topicNamer(deadLetterTopic) }
}

/** @param attempt which attempt has failed, from 1 on */
export function afterFailure(policy: FailurePolicy, attempt: number, error: unknown): 'retry' | 'give-up' {
  return attempt < policy.attempts && policy.isRetriable(error) ? 'retry' : 'give-up'
}

function topicNamer(option: FailureOptions['deadLetterTopic']): FailurePolicy['deadLetterTopic'] {
  if (option === false) return () => null
  if (typeof option === 'string') return () => option
  return option ?? ((topic) => `${topic}.dlt`)
}

function isRetriableByDefault(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return true
  if ('retriable' in error) return error.retriable !== false
  // HttpException, whichever copy of @nestjs/common it is of.
  if (!('getStatus' in error) || typeof error.getStatus !== 'function') return true
  const status: unknown = Reflect.apply(error.getStatus, error, [])
  return typeof status !== 'number' || status < 400 || status > 499
}
