/**
 * Reads batches. Behind the tail: one script call for many partitions, which counts bytes, so that the bounds hold
 * within a batch (and so that a thousand partitions cost one round trip). At the tail: one blocking XREAD, whose
 * exclusive start is Kafka's fetch: ids are `0-<offset after the last record>`, so what comes after `0-<f>` is what
 * holds offset f or later.
 */
import { KafkaError } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import { toKafkaError } from '../connection/server-errors.js'
import type { Keyspace } from '../keys.js'
import { describePartition, unknownPartition } from '../scripts/describe-partition.js'
import { fetchSegments, type FetchedSegment, type SegmentToFetch } from '../scripts/fetch.js'
import { validatePosition } from './epochs.js'
import { laneOf } from './lane.js'
import type { PartitionLog } from './partition-log.js'
import { entryEnd, entryFields, storedBatch, type StreamEntry } from './stream-entry.js'
import type {
  FetchRequest,
  FetchResult,
  LeaderEpoch,
  LogReader,
  Partition,
  SeenEpoch,
  StoredBatch,
  Validation,
} from './types.js'
import { WAIT_ENTRIES, WaitLane } from './wait-lane.js'

/** One call holds the server for about a millisecond a megabyte: larger bounds are met by more calls. */
const BYTES_PER_CALL = 2 * 1024 * 1024

export interface ReaderParts {
  readonly log: PartitionLog
  readonly keyspace: Keyspace
  /** For fetches. */
  readonly connection: Connection
  /** Makes a connection for a lane's blocking reads. */
  readonly openBlocking: (signal: AbortSignal) => Promise<Connection>
  readonly canUnblock: boolean
}

export class RedisLogReader implements LogReader {
  readonly #parts: ReaderParts
  readonly #lanes = new Map<string, WaitLane>()
  readonly #listeners = new Set<() => void>()

  constructor(parts: ReaderParts) {
    this.#parts = parts
    parts.connection.onReconnect(() => this.#reconnected())
  }

  lane(partition: Partition): string {
    return laneOf(this.#parts.connection, partition)
  }

  async fetch(requests: readonly FetchRequest[], maxBytes: number): Promise<FetchResult[]> {
    const places = await this.#places(requests)
    const segments = places.flatMap((place) => ('segment' in place ? [this.#toFetch(place)] : []))
    if (segments.length === 0) return places.flatMap((place) => ('result' in place ? [place.result] : []))
    const fetched = await fetchSegments(this.#parts.connection, segments, Math.min(maxBytes, BYTES_PER_CALL))
    const answers = fetched.values()
    return places.map((place) => {
      if ('result' in place) return place.result
      const answer = answers.next().value
      if (answer === undefined) return failed(place.request, new KafkaError('SCRIPT_FAILED', 'fetch left one out'))
      return answer instanceof KafkaError ? failed(place.request, answer) : fetchResult(place, answer)
    })
  }

  wait(requests: readonly FetchRequest[], timeoutMs: number): Promise<FetchResult[]> {
    const first = requests[0]
    if (first === undefined) return Promise.resolve([])
    const lane = this.#waitLane(this.lane(first.partition))
    return lane.run(() => this.#wait(lane, requests, timeoutMs))
  }

  interrupt(lane: string): void {
    this.#lanes.get(lane)?.interrupt()
  }

  async validate(
    partition: Partition,
    offset: number,
    epochs: readonly SeenEpoch[],
    next: LeaderEpoch | null = null,
  ): Promise<Validation> {
    const { connection, keyspace, log } = this.#parts
    // Over the connection that fetches: in a failover the others may still be another server's.
    const description = await describePartition(connection, partition, keyspace.of(partition), log)
    const { number } = description.leaderEpoch
    if (next !== null && next.number > number) {
      throw new KafkaError(
        'UNKNOWN_LEADER_EPOCH',
        `${partition.topic}-${partition.partition}: leader epoch ${next.number} was read, and the server asked for its ` +
          `history is at ${number}: a failover is not over`,
      )
    }
    const verdict = validatePosition(description, offset, epochs)
    const active = description.segments.find((segment) => segment.active)
    if (verdict.kind !== 'valid' || active === undefined) return verdict
    return { ...verdict, end: { offset: description.logEndOffset, segment: active.number } }
  }

  onReconnect(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    await Promise.all([this.#parts.connection.close(), ...[...this.#lanes.values()].map((lane) => lane.close())])
  }

  async #wait(lane: WaitLane, requests: readonly FetchRequest[], timeoutMs: number): Promise<FetchResult[]> {
    const ready: Located[] = []
    const refused: FetchResult[] = []
    const keys: string[] = []
    const ids: string[] = []
    const places = this.#places(requests)
    for (const place of Array.isArray(places) ? places : await places) {
      if ('result' in place) {
        refused.push(place.result)
        continue
      }
      ready.push(place)
      keys.push(this.#parts.keyspace.of(place.request.partition).log(place.segment))
      ids.push(`0-${place.request.offset}`)
    }
    if (refused.length > 0) return refused
    const streams = await lane.read(keys, ids, timeoutMs)
    // They come in the order of the keys.
    let at = 0
    return streams.map(([key, entries]) => {
      at = keys.indexOf(key.toString('latin1'), at)
      const item = ready[at]
      if (item === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', `XREAD answered with ${key.toString()}`)
      return waited(item, entries)
    })
  }

  /** Mostly every request names its segment: a promise each would be work for nothing. */
  #places(requests: readonly FetchRequest[]): Place[] | Promise<Place[]> {
    const known: Located[] = []
    for (const request of requests) {
      if (request.segment === null) return Promise.all(requests.map((each) => this.#locate(each)))
      known.push({ request, segment: request.segment })
    }
    return known
  }

  /** The segment to read, where the request does not name it; or the result, where there is nothing to read. */
  async #locate(request: FetchRequest): Promise<Place> {
    if (request.segment !== null) return { request, segment: request.segment }
    try {
      const description = await this.#parts.log.describe(request.partition)
      const { logStartOffset, logEndOffset, segments } = description
      if (request.offset < logStartOffset || request.offset > logEndOffset) {
        return { result: outOfRange(request, logStartOffset, logEndOffset) }
      }
      const segment = segments.findLast(({ baseOffset }) => baseOffset <= request.offset) ?? segments[0]
      return { request, segment: segment?.number ?? 0 }
    } catch (error) {
      return { result: failed(request, toKafkaError(error)) }
    }
  }

  #toFetch({ request: { partition, offset, maxBytes }, segment }: Located): SegmentToFetch {
    return { keys: this.#parts.keyspace.of(partition), segment, offset, maxBytes }
  }

  #waitLane(name: string): WaitLane {
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = new WaitLane({
        open: this.#parts.openBlocking,
        control: this.#parts.connection,
        canUnblock: this.#parts.canUnblock,
        onReconnect: () => this.#reconnected(),
      })
      this.#lanes.set(name, lane)
    }
    return lane
  }

  #reconnected(): void {
    for (const listener of this.#listeners) listener()
  }
}

interface Located {
  readonly request: FetchRequest
  readonly segment: number
}

type Place = Located | { readonly result: FetchResult }

function fetchResult({ request, segment }: Located, fetched: FetchedSegment): FetchResult {
  const { state, batches, nextSegment, bounded } = fetched
  if (state === null) return failed(request, unknownPartition(request.partition))
  const { logStartOffset, logEndOffset } = state
  if (request.offset < logStartOffset || request.offset > logEndOffset) {
    return outOfRange(request, logStartOffset, logEndOffset)
  }
  const isAtEnd = nextSegment === null && batches.length === 0 && !bounded
  // Nothing came of a segment that is not the active one, its end marker included: it is gone, or it was the wrong one.
  // The same where it begins beyond the offset, because the request names it by a history that was lost: in the log as
  // it is now, an earlier segment has the offset. Where the segment was looked up, a gap is a gap.
  const from = batches[0]?.baseOffset ?? (isAtEnd ? state.activeBaseOffset : request.offset)
  const lost = (isAtEnd && segment !== state.activeSegment) || (request.segment !== null && from > request.offset)
  if (lost) {
    return {
      partition: request.partition,
      error: null,
      logStartOffset,
      logEndOffset,
      batches: [],
      segment: null,
      more: true,
    }
  }
  return {
    partition: request.partition,
    error: null,
    logStartOffset,
    logEndOffset,
    batches,
    segment: nextSegment ?? segment,
    more: bounded || nextSegment !== null,
  }
}

/** The entries of one stream as XREAD gives them: batches, and the marker that seals the segment. */
function waited({ request, segment }: Located, entries: readonly StreamEntry[]): FetchResult {
  const batches: StoredBatch[] = []
  let next = segment
  let error: KafkaError | null = null
  for (const [id, fields] of entries) {
    const entry = entryFields(fields)
    if (entry.unknown !== undefined) {
      error = new KafkaError(
        'UNSUPPORTED_VERSION',
        `entry ${id.toString()} of ${request.partition.topic}-${request.partition.partition} has the field ` +
          `${entry.unknown}, which this release does not know`,
      )
    } else if (entry.next !== undefined) {
      next = entry.next
    } else if (entry.batch !== undefined && entry.epoch !== undefined) {
      batches.push(storedBatch(entry.batch, entryEnd(id), entry.epoch, entry.appendTime))
    }
  }
  return {
    partition: request.partition,
    error,
    logStartOffset: -1,
    logEndOffset: batches.at(-1)?.endOffset ?? request.offset,
    batches,
    segment: next,
    more: error === null && (entries.length === WAIT_ENTRIES || next !== segment),
  }
}

function outOfRange(request: FetchRequest, logStartOffset: number, logEndOffset: number): FetchResult {
  const { topic, partition } = request.partition
  const error = new KafkaError(
    'OFFSET_OUT_OF_RANGE',
    `offset ${request.offset} of ${topic}-${partition} is out of range: the log holds ${logStartOffset} to ${logEndOffset}`,
  )
  return { ...failed(request, error), logStartOffset, logEndOffset }
}

function failed(request: FetchRequest, error: KafkaError): FetchResult {
  return {
    partition: request.partition,
    error,
    logStartOffset: -1,
    logEndOffset: -1,
    batches: [],
    segment: null,
    more: false,
  }
}
