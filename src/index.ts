/**
 * The library: the relay as layers. Each module can also be imported alone, as `msrp-relay/Relay` and so on.
 *
 * @module
 */

export * from "./Authenticator.ts"
export * from "./authenticator/RemovedUsers.ts"
export * as Client from "./Client.ts"
export * from "./Codec.ts"
export * from "./Credentials.ts"
export { layerByRealm } from "./credentials/ByRealm.ts"
export { CredentialsFileError, type FileOptions, layerFile } from "./credentials/File.ts"
export { layerSqlClient, type SqlClientOptions, SqlSettingsError, type SubscriberTable } from "./credentials/Sql.ts"
export { Metrics } from "./Metrics.ts"
export * from "./protocol/FrameLimits.ts"
export * from "./protocol/Uri.ts"
export * from "./Relay.ts"
export { layerRecords, Resolver, ResolverError, type ResolverShape, type SrvRecord } from "./Resolver.ts"
export * from "./SessionRepo.ts"
export * from "./SocketSelector.ts"
export * from "./Transport.ts"
