/**
 * Tools for testing programs that use the relay: a relay on a simulated network and a simulated clock, and contract tests for
 * custom services. They work with any test runner; docs/testing.md has examples.
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
