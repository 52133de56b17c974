import type { BenchRecord, Topic } from './peers/peer.js'

/** Of a value; all characters are ASCII. */
export const VALUE_BYTES = 100
/** How many different records there are; they are sent again and again. */
const RECORDS = 20_000
export const KEYS = 1000

/** Keys and values by how they are made; made once, so that no round pays for it. */
const contents = new Map<string, readonly { readonly key: string; readonly value: string }[]>()

/** The records of a topic, in sends of the same size. The same for every peer and run: chance has a seed. */
export function makeSends(topic: Topic, size: number, keys = KEYS, value: MakeValue = asciiValue): BenchRecord[][] {
  const records = contentsOf(keys, value).map((content) => ({ topic: topic.name, ...content }))
  return Array.from({ length: Math.floor(RECORDS / size) }, (_, i) => records.slice(i * size, (i + 1) * size))
}

function contentsOf(keys: number, value: MakeValue) {
  const kind = `${value.name} ${keys}`
  let made = contents.get(kind)
  if (made === undefined) {
    const random = seeded(1)
    made = Array.from({ length: RECORDS }, (_, i) => ({
      key: flat(`k${Math.floor(random() * keys)}`),
      value: flat(value(random, i)),
    }))
    contents.set(kind, made)
  }
  return made
}

/** The same text as if it had come from outside: one that was put together is a tree, which whoever reads it first resolves. */
function flat(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** A number of at least 0 and less than 1. */
export type Random = () => number

/** Makes the value of the record of that index. */
export type MakeValue = (random: Random, index: number) => string

/** 100 characters without a pattern. */
export function asciiValue(random: Random): string {
  return randomText(random, VALUE_BYTES, '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_')
}

/** The JSON of an event of a shop, about 300 bytes: ids and numbers differ from one to the next, names hardly. */
export function orderEvent(random: Random, index: number): string {
  const pick = <T>(choices: readonly [T, ...T[]]): T => choices[Math.floor(random() * choices.length)] ?? choices[0]
  const hex = (length: number): string => randomText(random, length, '0123456789abcdef')
  return JSON.stringify({
    eventType: pick(['OrderPlaced', 'OrderPaid', 'OrderShipped', 'OrderDelivered', 'OrderCancelled']),
    orderId: `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    channel: pick(['web', 'app', 'store']),
    customerId: 100_000 + Math.floor(random() * 900_000),
    occurredAt: new Date(Date.UTC(2026, 0, 1) + index * 137 + Math.floor(random() * 100)).toISOString(),
    currency: pick(['EUR', 'EUR', 'USD', 'GBP']),
    items: [
      {
        sku: `SKU-${10_000 + Math.floor(random() * 5000)}`,
        quantity: 1 + Math.floor(random() * 4),
        unitPrice: price(random),
      },
    ],
    total: price(random),
    shipping: { method: pick(['standard', 'standard', 'express']), country: pick(['DE', 'FR', 'NL', 'US', 'GB']) },
  })
}

function price(random: Random): number {
  return Math.floor(random() * 20_000) / 100
}

function randomText(random: Random, length: number, alphabet: string): string {
  let text = ''
  while (text.length < length) text += alphabet.charAt(Math.floor(random() * alphabet.length))
  return text
}

/** mulberry32: small, and good enough to have no pattern. */
function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
