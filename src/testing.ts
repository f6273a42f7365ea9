/**
 * For tests of programs that are made with the relay: a relay on a simulated network, whose time passes as the test says, and
 * contracts for services of one's own. Nothing of it needs a test runner in particular; docs/testing.md shows it at work.
 *
 * ```ts
 * for (const { run, title } of sessionRepoContract) it.effect(title, () => Effect.provide(run, OwnRepo))
 * ```
 *
 * @module
 */

export { type AuthenticatorCase, authenticatorContract } from "./testing/AuthenticatorContract.ts"
export { codecContract } from "./testing/CodecContract.ts"
export type { Contract, ContractTest } from "./testing/Contract.ts"
export { credentialsContract, type KnownUser } from "./testing/CredentialsContract.ts"
export { type ResolverCase, resolverContract } from "./testing/ResolverContract.ts"
export { sessionRepoContract } from "./testing/SessionRepoContract.ts"
export { socketSelectorContract } from "./testing/SocketSelectorContract.ts"
export { type Party, TestRelay, type TestRelayOptions } from "./testing/TestRelay.ts"
export { transportContract } from "./testing/TransportContract.ts"
export type { KeyPair } from "./transport/Certificates.ts"
export { makeSelfSigned, SelfSignedError } from "./transport/SelfSigned.ts"
export type { LinkOptions } from "./transport/testing/Link.ts"
export type { Machine } from "./transport/testing/Machines.ts"
export type { DialOutcome } from "./transport/testing/SimulatedNetwork.ts"
export { TestNetwork, type TestOptions } from "./transport/testing/TestNetwork.ts"
