/** Records of sessions, for tests that make sessions by hand. */
import { SessionRecord } from "../../src/relay/SessionRecord.ts"

export const recordOf = (id: string, user = "alice", realm = "localhost"): SessionRecord =>
  new SessionRecord(
    id,
    { user, realm },
    { number: 1, remote: { host: "192.0.2.1", port: 4711 }, secure: true, transport: "tcp", socket: undefined },
    0
  )
