/** Digests that are known to be right. */

export const ALICE = "msrps://alice@intra.example.com;tcp"
const alice = {
  algorithm: "MD5",
  username: "alice",
  realm: "intra.example.com",
  password: "Wonderland-42",
  uri: ALICE
} as const

/** Computed apart from this code. */
export const vectors = [
  {
    ...alice,
    ha1: "80be1c328e6bf1a5c124624b9b990edd",
    nonce: "8f2c6b0e5d3a49c1b7e0a4d2f6c81350",
    nc: "00000001",
    cnonce: "0a4f113bQe",
    response: "0d7cf0bf94dd72c8ebe0295c74e7e6d4",
    rspauth: "54a739af3eba11ca5154aaed63d9e53e"
  },
  {
    ...alice,
    ha1: "80be1c328e6bf1a5c124624b9b990edd",
    nonce: "c41d7a90e2b34f58a6d90b1c3e5f7a82",
    nc: "00000001",
    cnonce: "77d1Fe20aa",
    response: "8fd0261d5766bdf66dd56debdf23e2a4",
    rspauth: "47aa45f80bef14206092ab31873e7d23"
  },
  {
    ...alice,
    ha1: "80be1c328e6bf1a5c124624b9b990edd",
    nonce: "8f2c6b0e5d3a49c1b7e0a4d2f6c81350",
    nc: "00000002",
    cnonce: "b19c44d0e1",
    response: "961bcce84a5ffdf565e362da509d559b",
    rspauth: "58d6a0282432989d6b1a30cded583778"
  },
  {
    ...alice,
    algorithm: "SHA-256",
    ha1: "aff93887458e7598df06411d3d72fad981e72ea355b3c919c129d5ae119b0022",
    nonce: "Q9vK2xPz7LmT4wRb8YcN1dHs",
    nc: "00000001",
    cnonce: "f2wE4q74E6zI",
    response: "92a8671c251342a3049bfcaad0cf3e036d1f2afcc6761157aac10926a86f5785",
    rspauth: "df6d0662a63d260e977c2bd65ed82ba964250c7a746a562751f2df1ab6f57dbf"
  },
  {
    ...alice,
    ha1: "80be1c328e6bf1a5c124624b9b990edd",
    nonce: "1e6b0f93d8a54c27b9f4e2d071c3a586",
    nc: "00000002",
    cnonce: "d00d0002bb",
    response: "b2d405395293533264b03d427375fe9c",
    rspauth: "391837d412ef3251f7e99e99d6d9fc61"
  },
  {
    ...alice,
    realm: "extra.example.com",
    password: "LookingGlass-7",
    uri: "msrps://extra.example.com;tcp",
    ha1: "da6664621447d1821fad7c2a07081e30",
    nonce: "Vb3QmZ7xkT1yR9sLw0Pd4uHf6NcEgAoJ",
    nc: "00000001",
    cnonce: "85a0dca8Zt",
    response: "06a7fb9773a96980477b9b296557e589",
    rspauth: "1a517089c1e9acf65b437ce7907af515"
  },
  {
    ...alice,
    realm: "r3.example.com",
    password: "TeaParty-9",
    uri: "msrps://r3.example.com;tcp",
    ha1: "6b198a2ad1f002d0c015057d7001fb0f",
    nonce: "mK7wQ2zX9vB4nL6tR1yJ",
    nc: "00000001",
    cnonce: "3e5f0aa1Bc",
    response: "3809521a12b8a4dd136020267d5ccddd",
    rspauth: "b515709cacb7cdf09b63771ad191ad46"
  }
] as const
