import type { Admin } from '@rivulet/client'
import { Arrivals } from './arrivals.js'
import { Delivery } from './delivery.js'
import { GroupJournal } from './group-journal.js'
import type { Progress } from './progress.js'
import type { ReaderMessage } from './reader-messages.js'
import { Readers } from './readers.js'
import { GROUP, TOPIC } from './topic.js'

/** When nothing has come for so long (ms), nothing will. */
const PATIENCE = 30_000
/** When so much has been read, as a part of all, one reader is killed, and another one joins. */
const KILL_AT = 0.25
const JOIN_AT = 0.5
const FIRST = ['reader-1', 'reader-2', 'reader-3'] as const
const KILLED = 'reader-3'
const NEWCOMER = 'reader-4'

export interface GroupReading {
  readonly delivery: Delivery
  readonly journal: GroupJournal
  /** Records that were given again to a successor. */
  readonly repeated: number
  readonly faults: readonly string[]
}

/**
 * Reads the topic with a group of three processes, of which one is killed a quarter of the way and to which another one
 * comes half way, until every record has arrived.
 *
 * @throws Error when nothing comes any more before that, or a reader has failed
 */
export async function consumeFlights(
  server: { readonly url: string; readonly namespace: string },
  admin: Admin,
  progress: Progress,
  signal: AbortSignal,
): Promise<GroupReading> {
  const offsets = await admin.fetchTopicOffsets(TOPIC)
  const expected = offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
  const start = performance.now()
  const journal = new GroupJournal(() => performance.now() - start)
  const delivery = new Delivery()
  const arrivals = new Arrivals(delivery, new Map(offsets.map(({ partition, low }) => [partition, Number(low)])))
  const end = new End(progress)
  let begun = false

  const onMessage = (name: string, message: ReaderMessage): void => {
    if (message.type === 'failed') return end.fail(new Error(`${name}: ${message.reason}`))
    if (message.type === 'owns') {
      journal.owns(name, message.partitions)
      if (!begun && FIRST.every((first) => journal.current(first).length === offsets.length / FIRST.length)) {
        begun = true
        readers.begin(...FIRST)
      }
      return
    }
    const before = progress.done
    progress.add(arrivals.add(message))
    const passes = (share: number): boolean => before < share * expected && progress.done >= share * expected
    if (passes(KILL_AT)) {
      readers.kill(KILLED)
      journal.owns(KILLED, null)
    }
    if (passes(JOIN_AT)) {
      readers.start(NEWCOMER)
      readers.begin(NEWCOMER)
    }
    if (progress.done >= expected) end.reached()
  }
  const readers = new Readers({ ...server, groupId: GROUP }, onMessage)
  const stop = (): void => end.fail(new Error('The reading was given up'))
  signal.addEventListener('abort', stop)
  try {
    for (const name of FIRST) {
      journal.owns(name, [])
      readers.start(name)
    }
    await end.promise
  } finally {
    signal.removeEventListener('abort', stop)
    await readers.end()
  }
  return { delivery, journal, repeated: arrivals.repeated, faults: arrivals.faults() }
}

/** The end of the reading, however it comes about. */
class End {
  readonly promise: Promise<void>
  reached: () => void = () => undefined
  fail: (error: Error) => void = () => undefined

  constructor(progress: Progress) {
    let watch: NodeJS.Timeout | undefined
    this.promise = new Promise<void>((resolve, reject) => {
      this.reached = resolve
      this.fail = reject
      let before = progress.done
      watch = setInterval(() => {
        if (progress.done === before) {
          reject(new Error(`Nothing came for ${PATIENCE / 1000} s, after ${before} of ${progress.total} flights`))
        }
        before = progress.done
      }, PATIENCE)
    }).finally(() => clearInterval(watch))
    // It may come to that before anybody waits.
    this.promise.catch(() => undefined)
  }
}
