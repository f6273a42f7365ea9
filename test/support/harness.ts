/** A relay for tests, on whatever `Transport` is there, and raw peers around it that send and see octets. */
export {
  type Frame,
  type FrameParts,
  header,
  headers,
  type Message,
  nextId,
  request,
  response,
  send,
  summary
} from "./frames.ts"
export { collect, Peer } from "./Peer.ts"
export { until } from "./until.ts"
export { type Listening, makeWorld, type Owner, PASSWORDS, World, type WorldOptions } from "./World.ts"
