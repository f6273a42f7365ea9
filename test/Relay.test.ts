import { Transport } from "../src/Transport.ts"
import { ca, localhost } from "./support/pki.ts"
import { scenarios } from "./support/scenarios.ts"

scenarios("layerTest", "msrp", () => Transport.layerTest())
scenarios("layerTest, shuffled, small pieces", "msrp", () =>
  Transport.layerTest({
    seed: 3,
    shuffle: true,
    split: (available, random) => available > 20_000 ? 30_000 : 1 + random() * 700
  }))
scenarios("layerTest, WebSocket", "msrp", () => Transport.layerTest({ piece: 1_048_576 }), "ws")
scenarios("layerNode, TCP", "msrp", () => Transport.layerNode())
scenarios("layerNode, TLS", "msrps", () => Transport.layerNode({ tls: { ...localhost, ca } }))
