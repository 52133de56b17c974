/**
 * Whether the promise settles within that time, ms. It may go on afterwards; a rejection counts as settled, and is nobody's
 * concern here.
 *
 * @param signal its abort ends the wait, as if the promise had settled
 */
export async function within(promise: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<boolean> {
  let end: (isSettled: boolean) => void = () => undefined
  const ended = new Promise<boolean>((resolve) => {
    end = resolve
  })
  const settled = (): void => end(true)
  const timer = setTimeout(() => end(false), ms)
  signal?.addEventListener('abort', settled)
  promise.then(settled, settled)
  try {
    return await ended
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', settled)
  }
}
