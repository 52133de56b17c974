/**
 * What values a config or an option may have: the guard that tells, the words for documentation and messages, and for
 * configs, which travel as texts, the way from text to value and back.
 */
export interface ValueType<T> {
  /** Completes 'it must be …' in an error message, and is the type column of docs/configuration.md. */
  readonly expected: string
  /** Why a value that somebody has good reason to try is refused nevertheless. */
  readonly hint?: ((value: unknown) => string | undefined) | undefined
  is: (value: unknown) => value is T
  /** A candidate for `is`; undefined where the text cannot be read as this type at all. */
  fromText: (written: string) => unknown
  toText(value: T): string
}

/** The type of a value type's values. */
export type TypeOf<V> = V extends ValueType<infer T> ? T : never

/** Options of this type keep the precise type that the caller declared: functions, and objects of other libraries. */
export interface OpaqueType<T> extends ValueType<T> {
  readonly opaque: true
}

// Kafka's longs are wider than a JavaScript integer. Whatever lies beyond is 'without a limit' in practice
// (Long.MAX_VALUE is Kafka's default for it), so it becomes the widest safe integer, and that is written as Kafka's.
const longMax = 2n ** 63n - 1n
const safeMax = Number.MAX_SAFE_INTEGER

const integerFromText = (written: string): number | undefined => {
  const trimmed = written.trim()
  if (!/^[+-]?\d{1,40}$/.test(trimmed)) return undefined
  const value = BigInt(trimmed.replace(/^\+/, ''))
  if (value > longMax || value < -longMax - 1n) return undefined
  return Number(value > safeMax ? safeMax : value < -safeMax ? -safeMax : value)
}

const range = (min: number, max: number): string => (max >= safeMax ? `of at least ${min}` : `from ${min} to ${max}`)

export interface IntegerRules {
  readonly min: number
  /** By default there is no limit. */
  readonly max?: number
  /** A value outside the range that means something of its own, such as -1 for 'no limit'. */
  readonly also?: number
}

/** An integer. As a text it may be as large as Kafka's long: what a JavaScript number cannot hold is 'no limit'. */
export function integer({ min, max = safeMax, also }: IntegerRules): ValueType<number> {
  return {
    expected: `an integer ${range(min, max)}${also === undefined ? '' : `, or ${also}`}`,
    is: (value): value is number =>
      Number.isSafeInteger(value) && typeof value === 'number' && (value === also || (value >= min && value <= max)),
    fromText: integerFromText,
    toText: (value) => (value === safeMax ? String(longMax) : String(value)),
  }
}

/** The longest time that Node's timers can wait: beyond it they fire at once. */
const longestTimer = 2 ** 31 - 1

/** A time in milliseconds that a timer can wait for. */
export function milliseconds({
  min = 0,
  also,
}: { readonly min?: number; readonly also?: number } = {}): ValueType<number> {
  return integer(also === undefined ? { min, max: longestTimer } : { min, max: longestTimer, also })
}

/** A number, fractions included; Infinity where `infinite` is set. */
export function number(rules: {
  readonly min: number
  readonly max?: number
  readonly infinite?: boolean
}): ValueType<number> {
  const { min, max = Infinity, infinite = false } = rules
  return {
    expected: `a number ${max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`}${infinite ? ', or Infinity' : ''}`,
    is: (value): value is number =>
      typeof value === 'number' && value >= min && value <= max && (infinite || Number.isFinite(value)),
    fromText: (written) => (/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(written) ? Number(written) : undefined),
    toText: String,
  }
}

/** true or false; as a text in any case, as Kafka's. */
export const boolean: ValueType<boolean> = {
  expected: 'true or false',
  is: (value): value is boolean => typeof value === 'boolean',
  fromText: (written) => ({ true: true, false: false })[written.trim().toLowerCase()],
  toText: String,
}

/** One of a few values. */
export function oneOf<const T extends string | number>(
  values: readonly T[],
  hint?: (value: unknown) => string | undefined,
): ValueType<T> {
  const shown = values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value)))
  return {
    expected: shown.length === 1 ? shown.join('') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`,
    hint,
    is: (value): value is T => values.some((allowed) => allowed === value),
    fromText: (written) => values.find((allowed) => String(allowed) === written.trim()),
    toText: String,
  }
}

/** A text, by default of any content. */
export function text(expected = 'a text', accepts: (value: string) => boolean = () => true): ValueType<string> {
  return {
    expected,
    is: (value): value is string => typeof value === 'string' && accepts(value),
    fromText: (written) => written,
    toText: (value) => value,
  }
}

const opaque = <T>(expected: string, is: (value: unknown) => value is T): OpaqueType<T> => ({
  opaque: true,
  expected,
  is,
  fromText: () => undefined,
  toText: () => expected,
})

/** Any function: its parameters are the caller's business. */
export type AnyFunction = (...args: never[]) => unknown

const isFunction = (value: unknown): value is AnyFunction => typeof value === 'function'
const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A function, described as `expected`. */
export const fn = (expected: string): OpaqueType<AnyFunction> => opaque(expected, isFunction)

/** An object of another library, described as `expected`. */
export const object = (expected: string): OpaqueType<object> => opaque(expected, isObject)

/** true, false or an object. */
export const booleanOrObject = (expected: string): OpaqueType<boolean | object> =>
  opaque(expected, (value): value is boolean | object => boolean.is(value) || isObject(value))

/** A list of texts that are not empty, or a function that gives one. */
export const textsOrFunction = (expected: string): OpaqueType<readonly string[] | AnyFunction> =>
  opaque(
    expected,
    (value): value is readonly string[] | AnyFunction =>
      isFunction(value) ||
      (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && one !== '')),
  )

/** A list of functions with at least one in it. */
export const functions = (expected: string): OpaqueType<readonly AnyFunction[]> =>
  opaque(
    expected,
    (value): value is readonly AnyFunction[] => Array.isArray(value) && value.length > 0 && value.every(isFunction),
  )

/** The type's values, and null. */
export function nullable<T>(type: ValueType<T>): ValueType<T | null> {
  return {
    expected: `${type.expected}, or null`,
    hint: type.hint,
    is: (value): value is T | null => value === null || type.is(value),
    fromText: (written) => type.fromText(written),
    toText: (value) => (value === null ? 'null' : type.toText(value)),
  }
}

/**
 * For an option that exists elsewhere and is not taken here: `reason` says what to do instead. Its values have no type, so
 * that the declared options of an application written for the other client still fit.
 */
export function unsupported(reason: string): ValueType<unknown> {
  return {
    expected: 'left out',
    hint: () => reason,
    is: (value): value is unknown => value === undefined,
    fromText: () => undefined,
    toText: () => '',
  }
}
