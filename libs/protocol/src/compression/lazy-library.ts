import { KafkaError } from '../errors.js'

/**
 * A package that is loaded when it is first used, so that who does not use it neither pays for it nor needs it. Work is done
 * at once when it is there, later (a promise) while it is loading.
 *
 * @param load dynamic import, and whatever the package needs before its first call
 */
export function lazyLibrary<L extends object>(
  codec: string,
  packageName: string,
  load: () => Promise<L>,
): <R>(work: (library: L) => R) => R | Promise<R> {
  let library: L | undefined
  let loading: Promise<L> | undefined
  const loadOnce = async (): Promise<L> => {
    try {
      return (library = await load())
    } catch (cause) {
      loading = undefined
      const message = `${codec} needs the package '${packageName}', which could not be loaded: install it for this platform`
      throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', message, { cause, package: packageName })
    }
  }
  return (work) => (library === undefined ? (loading ??= loadOnce()).then(work) : work(library))
}
