import { randomInt } from 'node:crypto'

/** Chance that can be repeated: the same seed gives the same sequence. */
export interface SeededRandom {
  readonly seed: number
  /** 0 ≤ number < 1 */
  next(): number
  /** An integer, both ends included. */
  int(min: number, max: number): number
  bool(probability?: number): boolean
  /** Throws on an empty list. */
  pick<T>(items: readonly T[]): T
  /** A new list. */
  shuffle<T>(items: readonly T[]): T[]
}

/**
 * Without a seed: RIVULET_TEST_SEED, or a new one, which is written to standard error so that a failed run can be repeated.
 */
export function seededRandom(seed: number = seedOfRun()): SeededRandom {
  let state = seed >>> 0
  // mulberry32: 32 bits of state suffice for choosing test cases
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  const pick = <T>(items: readonly T[]): T => {
    const at = int(0, items.length - 1)
    for (const item of items.slice(at, at + 1)) return item
    throw new RangeError('There is nothing to pick from')
  }
  const shuffle = <T>(items: readonly T[]): T[] =>
    items
      .map((item) => ({ item, order: next() }))
      .sort((a, b) => a.order - b.order)
      .map(({ item }) => item)
  return { seed, next, int, bool: (probability = 0.5) => next() < probability, pick, shuffle }
}

function seedOfRun(): number {
  const given = process.env['RIVULET_TEST_SEED']
  if (!given) {
    const seed = randomInt(2 ** 32)
    process.stderr.write(`random seed ${seed} (RIVULET_TEST_SEED=${seed} repeats it)\n`)
    return seed
  }
  const seed = Number(given)
  if (!Number.isSafeInteger(seed)) throw new RangeError(`RIVULET_TEST_SEED=${given} is no integer`)
  return seed
}
