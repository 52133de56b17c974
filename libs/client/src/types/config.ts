import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { StorageOptions } from '@rivulet/storage'
import type { Logger, logCreator, logLevel, RetryOptions } from './common.js'

/** Gives the servers, each time a connection is made anew. */
export type BrokersFunction = () => string[] | Promise<string[]>

type SaslAuthenticationRequest = {
  encode: () => Buffer | Promise<Buffer>
}
type SaslAuthenticationResponse<ParseResult> = {
  decode: (rawResponse: Buffer) => Buffer | Promise<Buffer>
  parse: (data: Buffer) => ParseResult
}
export type SaslAuthenticateArgs<ParseResult> = {
  request: SaslAuthenticationRequest
  response?: SaslAuthenticationResponse<ParseResult>
}
export type Authenticator = {
  authenticate: () => Promise<void>
}
export type AuthenticationProviderArgs = {
  host: string
  port: number
  logger: Logger
  saslAuthenticate: <ParseResult>(args: SaslAuthenticateArgs<ParseResult>) => Promise<ParseResult | void>
}
export type Mechanism = {
  mechanism: string
  authenticationProvider: (args: AuthenticationProviderArgs) => Authenticator
}

export interface OauthbearerProviderResponse {
  value: string
}

type UserAndPassword = { username: string; password: string }
type SASLMechanismOptionsMap = {
  plain: UserAndPassword
  'scram-sha-256': UserAndPassword
  'scram-sha-512': UserAndPassword
  aws: { authorizationIdentity: string; accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  oauthbearer: { oauthBearerProvider: () => Promise<OauthbearerProviderResponse> }
}
export type SASLMechanism = keyof SASLMechanismOptionsMap
/** Only `plain` is what Redis can do: its ACL login. The others are refused with KafkaJSNotImplemented. */
export type SASLOptions = { [M in SASLMechanism]: { mechanism: M } & SASLMechanismOptionsMap[M] }[SASLMechanism]

export interface ISocketFactoryArgs {
  host: string
  port: number
  ssl: ConnectionOptions
  onConnect: () => void
}
export type ISocketFactory = (args: ISocketFactoryArgs) => Socket

/** Rivulet only: ioredis's own options (`sentinels` among them), `{ cluster: { nodes, options } }`, or a connected instance. */
export type RedisConfig = NonNullable<StorageOptions['redis']['redis']>

export interface KafkaConfig {
  /**
   * The servers: each `host:port`, or (Rivulet only) a `redis://`, `rediss://` or `unix:` URL. May be left out where
   * `redis` is given (Rivulet only). Kafka: bootstrap.servers
   */
  brokers?: string[] | BrokersFunction
  /** Rivulet only: where Redis is, in ioredis's own terms. An instance is duplicated, never used or closed itself. */
  redis?: RedisConfig
  /** Rivulet only: the prefix of every key, so that several systems can share a Redis ('rivulet'). */
  namespace?: string
  /** Rivulet only: in how many places a new namespace spreads its partitions (12); fixed once it is made. */
  shards?: number
  /** TLS, with Node's own options if wanted. */
  ssl?: ConnectionOptions | boolean
  /** The login; `plain` is Redis's ACL login. */
  sasl?: SASLOptions | Mechanism
  /** How the client calls itself at the server ('rivulet'). Kafka: client.id */
  clientId?: string
  /** How long making a connection may take, in ms (1000). */
  connectionTimeout?: number
  /** Accepted; the login is part of making the connection. */
  authenticationTimeout?: number
  /** Accepted; Redis logins do not expire. */
  reauthenticationThreshold?: number
  /** How long the answer to a request may take, in ms (30000). */
  requestTimeout?: number
  /** Accepted; requests always have a time limit. */
  enforceRequestTimeout?: boolean
  retry?: RetryOptions
  /** Not supported: give `redis` with ioredis's own options instead. */
  socketFactory?: ISocketFactory
  /** INFO by default; the environment variable RIVULET_LOG_LEVEL (or KAFKAJS_LOG_LEVEL) wins over it. */
  logLevel?: logLevel
  /** Makes the function that gets every log entry; JSON on the console by default. */
  logCreator?: logCreator
}
