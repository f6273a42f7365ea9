/** Variables that say who may log in. */
import { DAY, seconds } from "../codecs/Quantities.ts"
import { configuredUsers, httpUrl, secret, sources, sqlName, sqlNameOrNone, sqlUrl, token } from "../codecs/Users.ts"
import { boolean, line } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("Users")

export const users = {
  credentials: optional("MSRP_CREDENTIALS", sources, {
    expects: `"memory", "file", "sql", "http" or "ephemeral", or several with a realm and "=" before all but one`,
    meaning: "Where users come from: `memory` is MSRP_USERS, `file` is MSRP_CREDENTIALS_FILE, `sql` is MSRP_SQL_URL, " +
      "`http` is MSRP_HTTP_URL, `ephemeral` is MSRP_EPHEMERAL_SECRET. Those of some realms may come from elsewhere than " +
      "the others: `sql,example.net=file`.",
    example: "file",
    absent: "the one whose variable is set; `memory` if none is",
    opensips: "auth_route"
  }),
  users: optional("MSRP_USERS", configuredUsers, {
    expects: "users like alice:secret or alice@example.org:secret, with commas between them",
    meaning:
      "Users, each good for one realm or, without one, for every realm. In names and secrets `,` is written %2C " +
      "and `%` is %25; in names also `:` %3A and `@` %40.",
    example: "alice:secret,bob@example.org:pass%2Cword",
    absent: "none; with no URI, listener or users configured at all, a user `demo` with a password made at start",
    reload: "live"
  }),
  credentialsFile: optional("MSRP_CREDENTIALS_FILE", line, {
    expects: "the path of a file",
    meaning: "A file of users, one `user:realm:secret` in a line, as `htdigest` writes it. It is read again when it " +
      "changes.",
    example: "/etc/msrp-relay/users",
    absent: "none",
    reload: "live"
  }),
  calculateHa1: optional("MSRP_CALCULATE_HA1", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning:
      "1: a stored secret is a password. 0: it is H(user:realm:password) in hexadecimal, of MD5 (32 digits) or " +
      "SHA-256 (64).",
    example: "1",
    absent: "1 for `memory`, 0 for `file` and `sql`",
    opensips: "calculate_ha1",
    reload: "live"
  }),
  credentialsCache: set("MSRP_CREDENTIALS_CACHE", seconds(0, DAY), {
    expects: "a time of 0 to 1 day",
    meaning:
      "For how long a user of `sql` or `http` is remembered, and that there is no such user; a password that is changed " +
      "is good so long after, and the new one at once. 0: never.",
    example: "5 minutes",
    default: "30",
    reload: "live"
  }),
  credentialsCheck: optional("MSRP_CREDENTIALS_CHECK", seconds(0, DAY, true), {
    expects: "a time of 0 to 1 day, in whole seconds",
    meaning:
      "Time between two checks that users with sessions still exist; the sessions of a removed user are ended. 0: no " +
      "checks, so that sessions end when they expire. For `http` each check makes a request for each user with a " +
      "session; for `ephemeral` a session then ends at the time in the user name.",
    example: "5 minutes",
    absent: "60 for `memory`, `file` and `sql`, 0 if one of the others is used",
    reload: "live"
  }),
  sqlUrl: optional("MSRP_SQL_URL", sqlUrl, {
    expects: "a URL of PostgreSQL (postgres://), MySQL or MariaDB (mysql://), or sqlite: with the path of a file",
    meaning:
      "A database with the table of users that OpenSIPS and Kamailio have. MSRP_CALCULATE_HA1 chooses the column.",
    example: "postgres://msrp:secret@db.example.com/opensips",
    absent: "none",
    reload: "live"
  }),
  sqlTable: set("MSRP_SQL_TABLE", sqlName, {
    expects: "a name in the database, maybe with its schema and a dot",
    meaning: "The table.",
    example: "msrp_users",
    default: "subscriber",
    reload: "live"
  }),
  sqlUsername: set("MSRP_SQL_USERNAME_COLUMN", sqlName, {
    expects: "a name in the database",
    meaning: "Column of user names.",
    example: "name",
    default: "username",
    reload: "live"
  }),
  sqlDomain: set("MSRP_SQL_DOMAIN_COLUMN", sqlNameOrNone, {
    expects: `a name in the database, or "none"`,
    meaning: "Column of realms. With `none`, every user is one of every realm.",
    example: "realm",
    default: "domain",
    reload: "live"
  }),
  sqlPassword: set("MSRP_SQL_PASSWORD_COLUMN", sqlName, {
    expects: "a name in the database",
    meaning: "Column of passwords, for MSRP_CALCULATE_HA1=1.",
    example: "secret",
    default: "password",
    reload: "live"
  }),
  sqlHa1: set("MSRP_SQL_HA1_COLUMN", sqlName, {
    expects: "a name in the database",
    meaning: "Column of H(user:realm:password) with MD5, for MSRP_CALCULATE_HA1=0.",
    example: "digest",
    default: "ha1",
    reload: "live"
  }),
  sqlHa1Sha256: set("MSRP_SQL_HA1_SHA256_COLUMN", sqlNameOrNone, {
    expects: `a name in the database, or "none"`,
    meaning: "The same with SHA-256; without it, only MD5 is offered for MSRP_CALCULATE_HA1=0.",
    example: "ha1_sha256",
    default: "none",
    reload: "live"
  }),
  httpUrl: optional("MSRP_HTTP_URL", httpUrl, {
    expects: "an http or https URL without a password",
    meaning: "A service that is asked for each user; docs/credentials.md says how.",
    example: "https://users.example.com/msrp",
    absent: "none",
    reload: "live"
  }),
  httpToken: optional("MSRP_HTTP_TOKEN", token, {
    expects: "visible ASCII characters",
    meaning: "Sent to the service as a bearer token.",
    example: "0a4f113b",
    absent: "none is sent",
    reload: "live"
  }),
  ephemeralSecret: optional("MSRP_EPHEMERAL_SECRET", secret, {
    expects: "text without control characters",
    meaning:
      "Users log in with a user name that begins with an expiry time (seconds since 1970), and a password that is " +
      "computed from it with this secret, as for TURN.",
    example: "north-pole",
    absent: "none",
    reload: "live"
  })
}
