// Jest loads the set-up and the teardown apart from each other: what the one leaves for the other is on globalThis.
const KEY = 'rivulet: how to stop the server of this run'

/** @param {() => Promise<void>} stop */
export function rememberForTeardown(stop) {
  Reflect.set(globalThis, KEY, stop)
}

export async function stopServerOfRun() {
  /** @type {unknown} */
  const stop = Reflect.get(globalThis, KEY)
  Reflect.deleteProperty(globalThis, KEY)
  if (typeof stop === 'function') await stop()
}
