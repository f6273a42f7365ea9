import { Transport } from "../src/Transport.ts"
import { ca, localhost } from "./support/pki.ts"
import { contract } from "./transport/contract.ts"

const tls = { ...localhost, ca }

contract("layerTest, TCP", "msrp", () => Transport.layerTest())
contract("layerTest, TLS", "msrps", () => Transport.layerTest())
contract("layerTest, shuffled, small pieces", "msrp", () =>
  Transport.layerTest({
    seed: 7,
    shuffle: true,
    split: (available, random) => available > 100_000 ? 65_536 : 1 + random() * 5000
  }))
contract("layerTest, WebSocket", "msrp", () => Transport.layerTest(), "ws")
contract("layerTest, WebSocket with TLS", "msrps", () => Transport.layerTest(), "ws")
contract("layerNode, TCP, shared reads", "msrp", () => Transport.layerNode({ reads: "shared" }))
contract("layerNode, TCP, events", "msrp", () => Transport.layerNode({ reads: "events" }))
contract("layerNode, TLS, shared reads", "msrps", () => Transport.layerNode({ reads: "shared", tls }))
contract("layerNode, TLS, events", "msrps", () => Transport.layerNode({ reads: "events", tls }))
contract("layerNode, WebSocket, shared reads", "msrp", () => Transport.layerNode({ reads: "shared" }), "ws")
contract("layerNode, WebSocket, events", "msrp", () => Transport.layerNode({ reads: "events" }), "ws")
contract("layerNode, WebSocket with TLS", "msrps", () => Transport.layerNode({ reads: "shared", tls }), "ws")
