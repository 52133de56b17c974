const longest = 80

/** A value as an error message names it: short, unambiguous as to its type, and without the insides of objects. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return showText(withoutLogin(value))
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function showText(text: string): string {
  // By code points, so that a cut never leaves half a character.
  return text.length <= longest
    ? JSON.stringify(text)
    : `${JSON.stringify(Array.from(text).slice(0, longest).join(''))}…`
}

/** A URL may hold a user's password, and may stand where it does not belong. */
function withoutLogin(text: string): string {
  return text.replace(/\/\/[\s\S]*@/, '//***@')
}
