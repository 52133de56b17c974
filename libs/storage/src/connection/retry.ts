/** How often, and how far apart, connecting is tried again. The names and the defaults are kafkajs's. */
export interface RetryOptions {
  /** Attempts after the first one; 5. */
  readonly retries: number
  /** Wait before the second attempt, in ms; 300. */
  readonly initialRetryTime: number
  /** Longest wait, in ms; 30,000. */
  readonly maxRetryTime: number
  /** By how much each wait is longer than the one before; 2. */
  readonly multiplier: number
  /** By which part a wait is longer or shorter at random; 0.2. */
  readonly factor: number
}

export const DEFAULT_RETRY: RetryOptions = {
  retries: 5,
  initialRetryTime: 300,
  maxRetryTime: 30_000,
  multiplier: 2,
  factor: 0.2,
}

/** How long to wait after so many attempts (1: the first one failed), in ms. */
export function retryTime(options: RetryOptions, attempts: number, random: () => number = Math.random): number {
  const base = options.initialRetryTime * options.multiplier ** (attempts - 1)
  return Math.min(options.maxRetryTime, base * (1 - options.factor + 2 * options.factor * random()))
}

/** Tries until it succeeds, an error is final, or the attempts are used up: the last error is thrown. */
export async function retry<T>(
  options: RetryOptions,
  attempt: () => Promise<T>,
  isRetriable: (error: unknown) => boolean,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt()
    } catch (error) {
      if (attempts > options.retries || !isRetriable(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, retryTime(options, attempts)))
    }
  }
}
