/**
 * A partition's state: one string of 96 bytes, big-endian, read and written whole or in ranges by the scripts
 * (scripts/includes/partition-state.lua names the same format). One string and not a hash, because every append reads
 * and writes it: two commands of under a microsecond instead of two of five.
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
 */
import { KafkaError } from '@rivulet/protocol'
import type { LeaderEpoch } from './types.js'

const STATE_FORMAT = 1
const STATE_BYTES = 96

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
    leaderEpoch: { number: bytes.readInt32BE(4), replicationId: bytes.toString('latin1', 8, 16) },
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

/** Safe for every value that Rivulet stores: they are below 2^53. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
}

/** @returns the offset after it */
export function writeInt64(bytes: Buffer, value: number, at: number): number {
  bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), at)
  return bytes.writeUInt32BE(value % 0x1_0000_0000, at + 4)
}
