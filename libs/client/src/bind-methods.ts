/**
 * Makes the methods of an object its own, bound properties. kafkajs's producers, consumers and admins are plain objects
 * of closures, and programs rely on it: `process.once('SIGTERM', producer.disconnect)`, `const { send } = producer`,
 * `{ ...producer, send: traced }`.
 */
export function bindMethods<T extends object>(instance: T): T {
  const prototype: unknown = Object.getPrototypeOf(instance)
  if (typeof prototype !== 'object' || prototype === null) return instance
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value
    if (name === 'constructor' || !isFunction(method)) continue
    Object.defineProperty(instance, name, {
      value: (...args: unknown[]): unknown => method.apply(instance, args),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return instance
}

const isFunction = (value: unknown): value is (...args: unknown[]) => unknown => typeof value === 'function'
