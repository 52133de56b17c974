/**
 * Makes the methods of an object its own, bound properties. kafkajs's producers, consumers and admins are plain objects
 * of closures, and programs rely on it: `process.once('SIGTERM', producer.disconnect)`, `const { send } = producer`,
 * `{ ...producer, send: traced }`.
 */
export function bindMethods<T extends object>(instance: T): T {
  const prototype: unknown = Object.getPrototypeOf(instance)
  if (typeof prototype !== 'object' || prototype === null) return instance
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === 'constructor' || typeof value !== 'function') continue
    Object.defineProperty(instance, name, {
      value: value.bind(instance),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return instance
}
