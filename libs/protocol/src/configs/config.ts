import { KafkaError } from '../errors.js'
import { didYouMean } from '../near-matches.js'
import { showValue } from '../show-value.js'
import type { ValueType } from './value-types.js'

/** All that there is to know of one config of a topic or a namespace. */
export interface ConfigDefinition<T, Effective extends boolean> {
  readonly type: ValueType<T>
  readonly default: T
  /** The default as Kafka would write it. */
  readonly defaultText: string
  readonly unit: 'ms' | 'bytes' | undefined
  /** What it means, in sentences: docs/configuration.md. */
  readonly doc: string
  /** Whether Kafka has a config of the same key and meaning. */
  readonly kafka: boolean
  /** false: accepted, stored and described back, because Kafka's tools set it; Redis has nothing that it could act upon. */
  readonly effective: Effective
}

export type ConfigDefinitions = Readonly<Record<string, ConfigDefinition<unknown, boolean>>>

interface Description<T> {
  readonly default: NoInfer<T>
  readonly doc: string
  readonly unit?: 'ms' | 'bytes'
  readonly kafka?: boolean
}

const define = <T, E extends boolean>(
  type: ValueType<T>,
  { default: value, doc, unit, kafka = true }: Description<T>,
  effective: E,
): ConfigDefinition<T, E> => ({ type, default: value, defaultText: type.toText(value), unit, doc, kafka, effective })

/** A config that does something. */
export const effective = <T>(type: ValueType<T>, description: Description<T>): ConfigDefinition<T, true> =>
  define(type, description, true)

/** A config that is kept for Kafka's tools, and does nothing. */
export const ineffective = <T>(type: ValueType<T>, description: Description<T>): ConfigDefinition<T, false> =>
  define(type, description, false)

type CamelCase<Key extends string> = Key extends `${infer Head}.${infer Rest}`
  ? `${Head}${Capitalize<CamelCase<Rest>>}`
  : Key

type EffectiveKey<D> = {
  [K in keyof D & string]: D[K] extends ConfigDefinition<unknown, true> ? K : never
}[keyof D & string]

/** The values of the configs that do something, under their keys in camel case. */
export type ConfigOf<D> = {
  readonly [K in EffectiveKey<D> as CamelCase<K>]: D[K] extends ConfigDefinition<infer T, boolean> ? T : never
}

const camelCase = (key: string): string => key.replaceAll(/\.(.)/g, (_, letter: string) => letter.toUpperCase())

function valueOf(key: string, { type }: ConfigDefinition<unknown, boolean>, given: unknown): unknown {
  const value = typeof given === 'string' ? type.fromText(given) : undefined
  if (type.is(value) && value !== undefined) return value
  const hint = typeof given === 'string' ? type.hint?.(given) : 'configs are given as texts'
  throw new KafkaError(
    'INVALID_CONFIG',
    `${key} must be ${type.expected}, not ${showValue(given)}${hint === undefined ? '' : `: ${hint}`}`,
    { key, value: given },
  )
}

/**
 * Reads configs as Kafka's admin requests carry them, and fills in defaults.
 * @param kind what the configs belong to, for messages: 'topic'
 * @throws KafkaError INVALID_CONFIG, naming key and value: an unknown key (with those it may have been meant to be), a value
 *   that cannot be read or is not allowed. Configs without effect are checked as well.
 */
export function parseConfig<const D extends ConfigDefinitions>(
  kind: string,
  definitions: D,
  entries: Readonly<Record<string, string>>,
): ConfigOf<D> {
  for (const [key, value] of Object.entries(entries)) {
    if (!Object.hasOwn(definitions, key)) {
      const near = didYouMean(key, Object.keys(definitions))
      throw new KafkaError('INVALID_CONFIG', `There is no ${kind} config ${showValue(key)}${near}`, { key, value })
    }
  }
  const config: Record<string, unknown> = {}
  for (const [key, definition] of Object.entries(definitions)) {
    const value = Object.hasOwn(entries, key) ? valueOf(key, definition, entries[key]) : definition.default
    if (definition.effective) config[camelCase(key)] = value
  }
  if (isConfig(definitions, config)) return config
  throw new TypeError(`The ${kind} config definitions contradict themselves`)
}

/** Whether each config that does something is there, with a value that its definition allows. */
function isConfig<D extends ConfigDefinitions>(
  definitions: D,
  config: Record<string, unknown>,
): config is Record<string, unknown> & ConfigOf<D> {
  return Object.entries(definitions).every(
    ([key, { effective: counts, type }]) => !counts || type.is(config[camelCase(key)]),
  )
}
