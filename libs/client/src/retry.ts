import { setTimeout as wait } from 'node:timers/promises'
import { isRetriable, KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded, toError } from './errors.js'
import type { RetryOptions } from './types.js'

/** Retry options with every default filled in. */
export type RetrySettings = Required<Omit<RetryOptions, 'restartOnFailure'>>

const DEFAULTS: RetrySettings = { maxRetryTime: 30_000, initialRetryTime: 300, factor: 0.2, multiplier: 2, retries: 5 }

/** Fills in the defaults; options that are undefined count as left out. */
export function retrySettings(
  options: { readonly [K in keyof RetrySettings]?: RetrySettings[K] | undefined } = {},
): RetrySettings {
  return {
    maxRetryTime: options.maxRetryTime ?? DEFAULTS.maxRetryTime,
    initialRetryTime: options.initialRetryTime ?? DEFAULTS.initialRetryTime,
    factor: options.factor ?? DEFAULTS.factor,
    multiplier: options.multiplier ?? DEFAULTS.multiplier,
    retries: options.retries ?? DEFAULTS.retries,
  }
}

/** A wait of about `time` ms: off by at most `factor` of it, so that clients that failed together do not return together. */
const jittered = (time: number, factor: number): number =>
  Math.ceil(time - factor * time + Math.random() * 2 * factor * time)

/** A timer that is to wait for longer than this waits not at all. */
const LONGEST_TIMER = 2 ** 31 - 1

/** The first wait, in ms. */
export const firstRetryTime = (settings: RetrySettings): number =>
  Math.min(jittered(settings.initialRetryTime, settings.factor), LONGEST_TIMER)

/** The wait after one of `retryTime`, in ms. */
export const nextRetryTime = (settings: RetrySettings, retryTime: number): number =>
  Math.min(jittered(retryTime, settings.factor) * settings.multiplier, settings.maxRetryTime, LONGEST_TIMER)

/** Ends the tries with this error, as it is. */
export type Bail = (error: Error) => void

/**
 * Runs an operation until it succeeds, as kafkajs does: an error that says `retriable: false` (or one of programming)
 * ends it as KafkaJSNonRetriableError with the error as its cause, `bail(error)` ends it with that very error, and after
 * the last try it is KafkaJSNumberOfRetriesExceeded.
 *
 * @param signal its abort ends a wait between two tries: the promise is rejected with the signal's reason
 */
export function createRetry(options: RetryOptions = {}, signal?: AbortSignal) {
  const settings = retrySettings(options)
  return async <T>(operation: (bail: Bail, retryCount: number, retryTime: number) => Promise<T>): Promise<T> => {
    let retryTime = firstRetryTime(settings)
    for (let retryCount = 0; ; retryCount++) {
      let bailed: Error | undefined
      const bail: Bail = (error) => {
        bailed ??= error
      }
      try {
        const result = await operation(bail, retryCount, retryTime)
        if (bailed === undefined) return result
      } catch (error) {
        if (bailed === undefined) {
          const e = toError(error)
          if (!isRetriable(e)) throw new KafkaJSNonRetriableError(e, { cause: e.cause ?? e })
          if (retryCount >= settings.retries) throw new KafkaJSNumberOfRetriesExceeded(e, { retryCount, retryTime })
        }
      }
      if (bailed !== undefined) throw bailed
      await pause(retryTime, signal)
      retryTime = nextRetryTime(settings, retryTime)
    }
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await wait(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
