import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The run was told to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  /** What a shell expects of a process that a signal has ended. */
  readonly exitCode: number

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`Interrupted (${signal})`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/** Ctrl-C and its like, as an AbortSignal whose reason is Interrupted. The second time, the process ends at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of SIGNALS) {
    process.on(name, () => {
      const interrupted = new Interrupted(name)
      if (controller.signal.aborted) process.exit(interrupted.exitCode)
      controller.abort(interrupted)
    })
  }
  return controller.signal
}

/** Waits for the promise, but no longer than until the signal. @throws the signal's reason */
export async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let stop = (): void => {}
  const aborted = new Promise<void>((resolve) => {
    stop = resolve
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([promise, aborted.then(() => fail(signal))])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function fail(signal: AbortSignal): never {
  signal.throwIfAborted()
  throw new Error('The signal is not aborted')
}
