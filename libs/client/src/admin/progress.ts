import { KafkaError } from '@rivulet/protocol'

/** How far a call that changes several topics, or groups, has come, by their names; kept across its retries. */
export type Progress = Map<string, 'done' | 'in doubt' | KafkaError>

/** After these, nobody knows whether the change was made: its repetition may find it made. */
const leavesDoubt = (error: KafkaError): boolean =>
  error.type === 'NETWORK_EXCEPTION' || error.type === 'REQUEST_TIMED_OUT'

/**
 * Changes topics, or groups, one after the other, in the order of their names. Those that failed do not stop the others.
 *
 * @param progress empty at the first try; at a retry those that are done, or have failed for good, are left alone
 * @param change makes one change; `inDoubt`: it was tried before and may have been made
 * @returns those that failed, each with its error
 * @throws an error that left a change in doubt, at once: the whole call is to be tried again
 */
export async function changeEach(
  progress: Progress,
  names: readonly string[],
  change: (name: string, inDoubt: boolean) => Promise<unknown>,
): Promise<{ name: string; error: KafkaError }[]> {
  for (const name of [...names].sort((a, b) => a.localeCompare(b))) {
    const state = progress.get(name)
    if (state === 'done' || (state instanceof KafkaError && !state.retriable)) continue
    try {
      await change(name, state === 'in doubt')
      progress.set(name, 'done')
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (leavesDoubt(error)) {
        progress.set(name, 'in doubt')
        throw error
      }
      progress.set(name, error)
    }
  }
  return [...progress].flatMap(([name, state]) => (state instanceof KafkaError ? [{ name, error: state }] : []))
}
