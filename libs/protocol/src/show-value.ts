const longest = 80

/** A value as an error message names it: short, unambiguous as to its type, and without the insides of objects. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') {
    // By code points, so that a cut never leaves half a character.
    return value.length <= longest
      ? JSON.stringify(value)
      : `${JSON.stringify(Array.from(value).slice(0, longest).join(''))}…`
  }
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
