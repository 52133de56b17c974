import { KafkaError } from '../errors.js'
import { didYouMean } from '../near-matches.js'
import { showValue } from '../show-value.js'
import type { OpaqueType, TypeOf, ValueType } from './value-types.js'

/** All that there is to know of one option that an application passes to the client. */
export interface OptionDefinition<Type extends ValueType<unknown>, Default> {
  readonly type: Type
  /** undefined: none. */
  readonly default: Default
  /** What it means, in sentences: docs/configuration.md. */
  readonly doc: string
  readonly unit: 'ms' | 'bytes' | undefined
  /** What it mirrors: Kafka's key ('linger.ms'), or 'kafkajs' where only kafkajs has it. undefined: Rivulet's own. */
  readonly mirrors: string | undefined
  /** Why nothing follows from the option although it is accepted; undefined where something does. */
  readonly noEffect: string | undefined
  /** Never shown in a message. */
  readonly secret: boolean
}

export type OptionDefinitions = Readonly<Record<string, OptionDefinition<ValueType<unknown>, unknown>>>

interface Description {
  readonly doc: string
  readonly unit?: 'ms' | 'bytes'
  readonly mirrors?: string
  readonly noEffect?: string
  readonly secret?: boolean
}

const define = <Type extends ValueType<unknown>, Default>(
  type: Type,
  value: Default,
  { doc, unit, mirrors, noEffect, secret = false }: Description,
): OptionDefinition<Type, Default> => ({ type, default: value, doc, unit, mirrors, noEffect, secret })

/** An option with a default. */
export const option = <Type extends ValueType<unknown>>(
  type: Type,
  value: NoInfer<TypeOf<Type>>,
  description: Description,
): OptionDefinition<Type, TypeOf<Type>> => define(type, value, description)

/** An option that may be left out and then has no value. */
export const optional = <Type extends ValueType<unknown>>(
  type: Type,
  description: Description,
): OptionDefinition<Type, undefined> => define(type, undefined, description)

/** What an application may pass: every option may be left out, or undefined. */
export type OptionsInput<D> = {
  readonly [K in keyof D]?: D[K] extends { readonly type: infer Type } ? TypeOf<Type> | undefined : never
}

/**
 * The options with defaults filled in. Functions and objects of other libraries keep the type that `Given` declares for
 * them, which says more than can be checked.
 */
export type Options<D, Given = OptionsInput<D>> = {
  readonly [K in keyof D]: D[K] extends OptionDefinition<infer Type, infer Default>
    ? Type extends OpaqueType<unknown>
      ? K extends keyof Given
        ? Given[K]
        : undefined
      : TypeOf<Type> | (Default extends undefined ? undefined : never)
    : never
}

/** Options inside an option, checked but not filled in: the `retry` of a producer goes over that of its client first. */
export interface GroupType<D extends OptionDefinitions> extends ValueType<OptionsInput<D>> {
  readonly members: D
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isPlain = (value: unknown): boolean =>
  value === null ||
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && !value.includes('@'))

const accepts = (definition: OptionDefinition<ValueType<unknown>, unknown>, value: unknown): boolean =>
  value === undefined || definition.type.is(value)

/** An object of options. */
export function group<const D extends OptionDefinitions>(expected: string, members: D): GroupType<D> {
  return {
    members,
    expected,
    is: (value): value is OptionsInput<D> =>
      isObject(value) && Object.entries(members).every(([name, definition]) => accepts(definition, value[name])),
    fromText: () => undefined,
    toText: () => expected,
  }
}

const isGroup = (type: ValueType<unknown>): type is GroupType<OptionDefinitions> => 'members' in type

/** Throws for the first option that its definition does not accept, `path` being where the options are. */
function check(definitions: OptionDefinitions, given: Readonly<Record<string, unknown>>, path: string): void {
  for (const [name, definition] of Object.entries(definitions)) {
    const value = given[name]
    if (accepts(definition, value)) continue
    const { type, secret } = definition
    if (isGroup(type) && isObject(value)) check(type.members, value, `${path}${name}.`)
    const hint = type.hint?.(value)
    throw new KafkaError(
      'INVALID_OPTION',
      `${path}${name} must be ${type.expected}${secret ? '' : `, not ${showValue(value)}`}${hint === undefined ? '' : `: ${hint}`}`,
      // Objects and texts may hold a login; the message shows what may be shown of them.
      secret || !isPlain(value) ? { option: `${path}${name}` } : { option: `${path}${name}`, value },
    )
  }
}

const isComplete = <D extends OptionDefinitions, Given extends OptionsInput<D>>(
  definitions: D,
  options: Record<string, unknown>,
): options is Record<string, unknown> & Options<D, Given> =>
  Object.entries(definitions).every(
    ([name, definition]) =>
      (definition.default === undefined && options[name] === undefined) || definition.type.is(options[name]),
  )

/**
 * Checks options and fills in defaults; an option that is undefined counts as left out. Unknown ones are left out of the
 * result: `unknownOptions` tells of them.
 * @throws KafkaError INVALID_OPTION, naming option and value (never the value of a secret) and what would be right
 */
export function parseOptions<const D extends OptionDefinitions, Given extends OptionsInput<D>>(
  definitions: D,
  given: Given,
): Options<D, Given> {
  const input: unknown = given
  if (!isObject(input)) {
    throw new KafkaError('INVALID_OPTION', `Options must be an object, not ${showValue(input)}`)
  }
  check(definitions, input, '')
  const options: Record<string, unknown> = {}
  for (const [name, definition] of Object.entries(definitions)) {
    options[name] = input[name] === undefined ? definition.default : input[name]
  }
  if (isComplete<D, Given>(definitions, options)) return options
  throw new TypeError('The option definitions contradict themselves')
}

/**
 * A sentence for each option that no definition knows, with the names it may have been meant to be: for a warning, since
 * applications pass options of other clients along.
 */
export function unknownOptions(definitions: OptionDefinitions, given: object): string[] {
  const names = Object.keys(definitions)
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(definitions, name))
    .map((name) => `There is no option ${showValue(name)}${didYouMean(name, names)}`)
}
