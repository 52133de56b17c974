import { constants } from 'node:os'

/** How long tidying up may take, ms. */
const PATIENCE = 5000

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The demo was told to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  /** What a shell expects of a process that a signal has ended. */
  readonly exitCode: number

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`Interrupted (${signal})`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/**
 * Ctrl-C and its like, as an AbortSignal whose reason is Interrupted. The second time, or when tidying up takes too
 * long, the process ends at once: a server of its own goes with it all the same.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of SIGNALS) {
    process.on(name, () => {
      const interrupted = new Interrupted(name)
      if (controller.signal.aborted) process.exit(interrupted.exitCode)
      setTimeout(() => process.exit(interrupted.exitCode), PATIENCE).unref()
      controller.abort(interrupted)
    })
  }
  return controller.signal
}

/** Waits for the promise, but no longer than until the signal. @throws the signal's reason */
export async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(reasonOf(signal))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

export function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
