import { Inject } from '@nestjs/common'

export const DEFAULT_CONNECTION = 'default'

/** What a connection's providers are registered under, for tests that replace them (`overrideProvider`). */
export const getRivuletToken = (connection = DEFAULT_CONNECTION): string => `rivulet:${connection}:kafka`
export const getRivuletProducerToken = (connection = DEFAULT_CONNECTION): string => `rivulet:${connection}:producer`
export const getRivuletAdminToken = (connection = DEFAULT_CONNECTION): string => `rivulet:${connection}:admin`

/** Injects the `Kafka` of a connection; the default one is also injected where a parameter's type is `Kafka`. */
export const InjectRivulet = (connection?: string): ReturnType<typeof Inject> => Inject(getRivuletToken(connection))

/** Injects the connection's producer. It is connected. */
export const InjectRivuletProducer = (connection?: string): ReturnType<typeof Inject> =>
  Inject(getRivuletProducerToken(connection))

/** Injects the connection's admin client. It is connected. */
export const InjectRivuletAdmin = (connection?: string): ReturnType<typeof Inject> =>
  Inject(getRivuletAdminToken(connection))

/** Injects a client of `RivuletModule.forFeature`, by its name. */
export const InjectRivuletClient = (name: string | symbol): ReturnType<typeof Inject> => Inject(name)
