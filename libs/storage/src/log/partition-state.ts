/**
 * A partition's state: one string of 242 bytes, big-endian, read and written whole or in ranges by the scripts
 * (scripts/includes/partition-state.lua names the same format). One string and not a hash, because every append reads
 * and writes it: two commands of under a microsecond instead of two of five. For the same reason the producer that
 * appended last has its state here; the others' is in the producers hash (scripts/append.lua draws it).
 *
 *      0  u8   format: 1
 *      1  u8   0
 *      2  u16  0
 *      4  i32  leader epoch: its number
 *      8  c8   leader epoch: the first 8 hexadecimal digits of the replication id it was seen under
 *     16  i64  log start offset
 *     24  i64  log end offset
 *     32  i64  bytes of all record batches held
 *     40  i64  largest timestamp appended, ms; -1: none
 *     48  i64  active segment: number
 *     56  i64  active segment: base offset
 *     64  i64  active segment: bytes
 *     72  i64  active segment: largest timestamp, ms; -1: none
 *     80  i64  active segment: when its first batch came, ms on the server's clock
 *     88  i64  oldest segment: number
 *     96  i64  bytes that the partition has taken from what its shard has left, and not used yet: it takes some for
 *              several batches, so that not every append has to touch the shard's counters
 *    104  i64  latest producer: its id; -1: none
 *    112  i16  latest producer: its epoch
 *    114       latest producer: its latest batches, newest first, five of 24 bytes:
 *              i32 first sequence (-1: none)  i32 last sequence  i64 base offset  i64 append time, ms; -1: none
 *    234  c8   the append session that appended last (append-session.ts); zeros: none
 */
import { KafkaError } from '@rivulet/protocol'
import type { LeaderEpoch } from './types.js'

const STATE_FORMAT = 1
const STATE_BYTES = 242

export interface PartitionState {
  readonly leaderEpoch: LeaderEpoch
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly size: number
  readonly maxTimestamp: number
  readonly activeSegment: number
  readonly activeBaseOffset: number
  readonly activeBytes: number
  readonly activeMaxTimestamp: number
  readonly activeSince: number
  readonly oldestSegment: number
}

/** Throws KafkaError UNSUPPORTED_VERSION for a format that another release made. */
export function decodePartitionState(bytes: Buffer): PartitionState {
  const format = bytes[0]
  if (format !== STATE_FORMAT || bytes.length < STATE_BYTES) {
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      `the partition's state has format ${format}; this release reads format ${STATE_FORMAT}`,
    )
  }
  return {
    leaderEpoch: readLeaderEpoch(bytes, 4),
    logStartOffset: readInt64(bytes, 16),
    logEndOffset: readInt64(bytes, 24),
    size: readInt64(bytes, 32),
    maxTimestamp: readInt64(bytes, 40),
    activeSegment: readInt64(bytes, 48),
    activeBaseOffset: readInt64(bytes, 56),
    activeBytes: readInt64(bytes, 64),
    activeMaxTimestamp: readInt64(bytes, 72),
    activeSince: readInt64(bytes, 80),
    oldestSegment: readInt64(bytes, 88),
  }
}

/** Of 12 bytes: i32 number, and the replication id's 8 digits. */
export function readLeaderEpoch(bytes: Buffer, at: number): LeaderEpoch {
  return { number: bytes.readInt32BE(at), replicationId: bytes.toString('latin1', at + 4, at + 12) }
}

/** Safe for every value that Rivulet stores: they are below 2^53. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
}

/** @returns the offset after it */
export function writeInt64(bytes: Buffer, value: number, at: number): number {
  bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), at)
  return bytes.writeUInt32BE(value % 0x1_0000_0000, at + 4)
}
