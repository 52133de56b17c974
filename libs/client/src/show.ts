import { inspect } from 'node:util'

/**
 * A value as an error message shows it. Unlike String() and JSON.stringify() it has a text for everything that a program in
 * JavaScript may pass, and a short one.
 */
export const show = (value: unknown): string =>
  inspect(value, { depth: 3, breakLength: Infinity, maxArrayLength: 10, maxStringLength: 200 })
