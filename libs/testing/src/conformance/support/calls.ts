/** The error that a call ends with, whether it throws or rejects. */
export async function failureOf(call: () => unknown): Promise<Error> {
  try {
    await call()
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error(`The call ended with what is no error: ${String(error)}`, { cause: error })
  }
  throw new Error('The call did not fail')
}

/** A call as a program in JavaScript can make it: nobody has checked the arguments' types. */
export function callUntyped<T extends object>(object: T, method: keyof T & string, ...args: unknown[]): unknown {
  const callee: unknown = object[method]
  if (typeof callee !== 'function') throw new TypeError(`${method} is no method`)
  return Reflect.apply(callee, object, args)
}
