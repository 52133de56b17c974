// Jest loads the set-up and the teardown apart from each other: what the one leaves for the other is on globalThis.
const key = Symbol.for('rivulet.stopServerOfRun')

export function rememberForTeardown(stop) {
  globalThis[key] = stop
}

export async function stopServerOfRun() {
  const stop = globalThis[key]
  delete globalThis[key]
  await stop?.()
}
