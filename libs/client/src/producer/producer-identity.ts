import { randomBytes } from 'node:crypto'

/** Sequence numbers run from 0 to 2^31 - 1 and then begin again, as Kafka's do. */
const SEQUENCES = 2 ** 31

/** The producer epoch is 16 bits, signed. */
const MAX_EPOCH = 2 ** 15 - 1

/**
 * A producer id that nobody else has: 53 random bits. It is not counted up on the server, because a counter can fall back
 * in a failover, and the second of two producers of one id would have its records taken for repetitions of the first's.
 * Among a hundred thousand producers of one partition, the chance of any two being equal is one in two million.
 */
export function newProducerId(): number {
  for (;;) {
    const id = Number(randomBytes(8).readBigUInt64BE() >> 11n)
    if (id !== 0) return id
  }
}

/** The sequence number that follows a batch of `count` records which began at `first`. */
export function sequenceAfter(first: number, count: number): number {
  return (first + count) % SEQUENCES
}

/**
 * What a producer is to one partition: its id, its epoch there, and the sequence number of its next record. (Kafka keeps
 * one epoch a producer; here each partition has its own, so that what goes wrong in one does not touch the others.)
 */
export class ProducerIdentity {
  producerId: number
  epoch = 0
  nextSequence = 0

  constructor(producerId: number) {
    this.producerId = producerId
  }

  /** A batch is stored: its sequence numbers are used up. (One that was never written leaves them to the next.) */
  advance(baseSequence: number, count: number): void {
    this.nextSequence = sequenceAfter(baseSequence, count)
  }

  /**
   * Goes on under a new epoch, from sequence number 0. For when it is not known what the log holds of this producer:
   * the first batch of a new epoch is accepted whatever came before, and whatever may still be on its way under the
   * old one is refused.
   */
  raiseEpoch(): void {
    if (this.epoch === MAX_EPOCH) return this.renew()
    this.epoch++
    this.nextSequence = 0
  }

  /** Goes on as another producer. */
  renew(): void {
    this.producerId = newProducerId()
    this.epoch = 0
    this.nextSequence = 0
  }
}
