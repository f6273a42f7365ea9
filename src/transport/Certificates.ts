/** The certificates, keys and trusted roots of the relay itself. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { constants, X509Certificate } from "node:crypto"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { LinkedMap } from "../collections/LinkedMap.ts"
import { oneOf, type OptionsError, secret, text, wrongOrUnknown } from "../options/Options.ts"
import { CertificateNames } from "./CertificateNames.ts"
import { TransportError } from "./TransportError.ts"
import type { CertificateFacts } from "./TransportFacts.ts"

/**
 * A certificate (PEM, with the chain that leads to its root) and its private key (PEM).
 *
 * @category models
 * @since 0.1.0
 */
export interface KeyPair {
  readonly cert: string
  readonly key: Redacted.Redacted
}

/**
 * The own certificates, and those that are trusted. Certificates and keys are PEM texts, not paths.
 *
 * @category options
 * @since 0.1.0
 */
export interface TlsOptions {
  /** PEM certificate (with its chain) presented to clients, and as a TLS client to other relays (RFC 4976 §9.2). */
  readonly cert?: string | undefined
  /** PEM private key of `cert`. */
  readonly key?: Redacted.Redacted | undefined
  /** Certificates for other names, chosen by the server name of the client (RFC 6066 §3); `cert` is for all others. */
  readonly others?: ReadonlyArray<KeyPair> | undefined
  /** PEM certificates trusted as roots, for servers and clients, instead of Node's own list. */
  readonly ca?: string | undefined
  /** The oldest version accepted (RFC 8996 forbids versions before 1.2). Default TLSv1.2. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined
  /** OpenSSL cipher list. Default: the forward-secret AEAD suites of RFC 9325. */
  readonly ciphers?: string | undefined
  /** Whether clients may resume sessions by ticket. Default true; never where a client certificate is requested. */
  readonly sessionTickets?: boolean | undefined
}

const pem = text("PEM", (value) => value !== "")

export const tlsSchema = Schema.Struct({
  cert: Schema.optional(pem),
  key: Schema.optional(secret()),
  others: Schema.optional(Schema.Array(Schema.Struct({ cert: pem, key: secret() }))),
  ca: Schema.optional(pem),
  minVersion: Schema.optional(oneOf("TLSv1.2", "TLSv1.3")),
  ciphers: Schema.optional(Schema.String),
  sessionTickets: Schema.optional(Schema.Boolean)
})

const wrong = wrongOrUnknown<TlsOptions>("tls", tlsSchema)

const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305"
].join(":")

/** The TLS contexts of one value of the options. */
interface Contexts {
  readonly options: Tls.SecureContextOptions
  readonly first: Tls.SecureContext
  readonly others: ReadonlyArray<Tls.SecureContext>
  readonly names: CertificateNames
  readonly facts: ReadonlyArray<CertificateFacts>
}

/** The name and validity of each certificate. Of several with the same first name, later ones have a number after it. */
const factsOf = (certificates: ReadonlyArray<X509Certificate>): ReadonlyArray<CertificateFacts> => {
  const names = new Map<string, number>()
  return certificates.map(({ subject, subjectAltName, validFromDate, validToDate }) => {
    const known = /(?:DNS|IP Address):([^,]+)/.exec(subjectAltName ?? "")?.[1] ?? /CN=(.+)/.exec(subject)?.[1] ??
      "unnamed"
    const count = (names.get(known) ?? 0) + 1
    names.set(known, count)
    return {
      name: count === 1 ? known : `${known} (${count})`,
      expires: validToDate.getTime() / 1000,
      begins: validFromDate.getTime() / 1000
    }
  })
}

/** Makes the contexts, with a yield after each: a hundred take a tenth of a second. */
const contextsOf = Effect.fnUntraced(function*(given: TlsOptions): Effect.fn.Return<Contexts, TransportError> {
  const common: Tls.SecureContextOptions = {
    minVersion: given.minVersion ?? "TLSv1.2",
    ciphers: given.ciphers ?? CIPHERS,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION
      | (given.sessionTickets === false ? constants.SSL_OP_NO_TICKET : 0),
    ...(given.ca === undefined ? {} : { ca: given.ca })
  }
  const options = {
    ...common,
    ...(given.cert === undefined ? {} : { cert: given.cert }),
    ...(given.key === undefined ? {} : { key: Redacted.value(given.key) })
  }
  const first = yield* attempt(() => Tls.createSecureContext(options))
  const { cert: own } = given
  const all = own === undefined ? [] : [yield* attempt(() => new X509Certificate(own))]
  const others: Array<Tls.SecureContext> = []
  const names = new CertificateNames()
  for (const { cert, key } of given.others ?? []) {
    yield* Effect.yieldNow
    const certificate = yield* attempt(() => new X509Certificate(cert))
    others.push(yield* attempt(() => Tls.createSecureContext({ ...common, cert, key: Redacted.value(key) })))
    names.add(certificate)
    all.push(certificate)
  }
  return { options, first, others, names, facts: factsOf(all) }
})

const attempt = <A>(make: () => A): Effect.Effect<A, TransportError> =>
  Effect.try({
    try: make,
    // OpenSSL's errors do not contain the key.
    catch: (cause) => new TransportError({ operation: "listen", target: "msrps", reason: "Certificate", cause })
  })

const withoutTickets = (options: Tls.SecureContextOptions): Tls.SecureContextOptions => ({
  ...options,
  secureOptions: (options.secureOptions ?? 0) | constants.SSL_OP_NO_TICKET
})

/** The most names whose certificate is cached: strangers may ask for any name. */
const MAX_IDENTITIES = 256

/** The own certificates in use. Chooses the one to present as a name, for servers and clients. */
export interface Certificates {
  /** Whether there is a default certificate. */
  readonly hasDefault: () => boolean
  /**
   * Options of a server, with the default certificate and those for other names. `resumes`: whether clients may resume
   * sessions.
   */
  readonly server: (resumes: boolean) => Tls.TlsOptions
  /** The context of a client that connects as a name; undefined: with the default certificate. */
  readonly client: (localName: string | undefined) => Tls.SecureContext
  /** The number of the certificate for a name; 0 is the default one. */
  readonly identity: (name: string) => number
  /** The certificates in use, the default one first. */
  readonly facts: () => ReadonlyArray<CertificateFacts>
  /** Calls back when the options of a server have changed, until the returned function is called. */
  readonly onChange: (callback: () => void) => () => void
}

/** Follows the options until the scope closes. Unusable options are an error at the start; later they are logged and not used. */
export const makeCertificates = Effect.fnUntraced(function*(
  given: TlsOptions | SubscriptionRef.SubscriptionRef<TlsOptions>
): Effect.fn.Return<Certificates, TransportError, Scope.Scope> {
  const callbacks = new Set<() => void>()
  const isRef = SubscriptionRef.isSubscriptionRef(given)
  let current = yield* contextsOf(
    isRef ? SubscriptionRef.getUnsafe(given as SubscriptionRef.SubscriptionRef<TlsOptions>) : given as TlsOptions
  )
  /** The cached numbers by name, until the certificates change: OpenSSL takes long to check many. */
  let identities = new LinkedMap<string, number>()
  if (isRef) {
    yield* SubscriptionRef.changes(given as SubscriptionRef.SubscriptionRef<TlsOptions>).pipe(
      Stream.drop(1),
      Stream.runForEach((options) =>
        Effect.suspend((): Effect.Effect<Contexts, TransportError | OptionsError> =>
          wrong(options) ?? contextsOf(options)
        ).pipe(
          Effect.map((contexts) => {
            current = contexts
            identities = new LinkedMap()
            for (const callback of callbacks) callback()
          }),
          Effect.catch((error) =>
            Effect.annotateLogs(Effect.logError("the new certificate is not used"), { reason: error.message })
          )
        )
      ),
      Effect.forkScoped({ startImmediately: true })
    )
  }
  const identity = (name: string): number => {
    const known = identities.touch(name)
    if (known !== undefined) return known
    const found = 1 + current.names.find(name)
    identities.set(name, found)
    identities.shorten(MAX_IDENTITIES)
    return found
  }
  const named = (name: string): Tls.SecureContext | undefined => current.others[identity(name) - 1]
  /** The name is any text of a stranger, and an exception here would end the process. An address is no server name (RFC 6066 §3). */
  const asked: NonNullable<Tls.TlsOptions["SNICallback"]> = (name, done) => {
    let context: Tls.SecureContext | undefined
    try {
      context = Net.isIP(name) === 0 ? named(name) : undefined
    } catch {
      context = undefined
    }
    done(null, context)
  }
  return {
    hasDefault: () => current.options.cert !== undefined,
    server: (resumes) => ({ ...(resumes ? current.options : withoutTickets(current.options)), SNICallback: asked }),
    client: (localName) => (localName === undefined ? undefined : named(localName)) ?? current.first,
    identity,
    facts: () => current.facts,
    onChange: (callback) => {
      callbacks.add(callback)
      return () => callbacks.delete(callback)
    }
  }
})
