/** Variables that say who may log in. */
import { DAY, seconds } from "../codecs/Quantities.ts"
import { configuredUsers, httpUrl, secret, sources, sqlName, sqlNameOrNone, sqlUrl, token } from "../codecs/Users.ts"
import { boolean, line } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("Users")

export const users = {
  credentials: optional("MSRP_CREDENTIALS", sources, {
    expects: "memory, file, sql, http or ephemeral, or several, comma-separated, all but one prefixed with " +
      "a realm and `=`",
    meaning: "The source of users: `memory` is MSRP_USERS, `file` is MSRP_CREDENTIALS_FILE, `sql` is MSRP_SQL_URL, " +
      "`http` is MSRP_HTTP_URL, `ephemeral` is MSRP_EPHEMERAL_SECRET. A realm may have a source of its own: " +
      "`sql,example.net=file`.",
    example: "file",
    absent: "the source whose variable is set; `memory` if none is",
    opensips: "auth_route"
  }),
  users: optional("MSRP_USERS", configuredUsers, {
    expects: "comma-separated users such as alice:secret or alice@example.org:secret",
    meaning: "Users, each for one realm or, without one, for every realm. In names and secrets, write `,` as %2C and " +
      "`%` as %25; in names also `:` as %3A and `@` as %40.",
    example: "alice:secret,bob@example.org:pass%2Cword",
    absent: "none; if no URI, listener or users are configured at all, a user `demo` with a random password",
    reload: "live"
  }),
  credentialsFile: optional("MSRP_CREDENTIALS_FILE", line, {
    expects: "the path of a file",
    meaning: "A file of users with one `user:realm:secret` on each line, as `htdigest` writes it. The file is read " +
      "again when it changes.",
    example: "/etc/msrp-relay/users",
    absent: "none",
    reload: "live"
  }),
  calculateHa1: optional("MSRP_CALCULATE_HA1", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning: "What stored secrets are. 1: passwords. 0: H(user:realm:password) in hexadecimal, with MD5 (32 digits) " +
      "or SHA-256 (64 digits).",
    example: "1",
    absent: "1 for `memory`, 0 for `file` and `sql`",
    opensips: "calculate_ha1",
    reload: "live"
  }),
  credentialsCache: set("MSRP_CREDENTIALS_CACHE", seconds(0, DAY), {
    expects: "a time of 0 to 1 day",
    meaning: "The time for which answers of `sql` and `http` about a user are cached, including that the user does " +
      "not exist. After a change, the new password is accepted at once, and the old one until its entry " +
      "expires. 0: no cache.",
    example: "5 minutes",
    default: "30",
    reload: "live"
  }),
  credentialsCheck: optional("MSRP_CREDENTIALS_CHECK", seconds(0, DAY, true), {
    expects: "a time of 0 to 1 day, in whole seconds",
    meaning: "The interval at which the relay checks that users with sessions still exist; it ends the sessions of " +
      "removed users. 0: no checks, so that sessions end when they expire. With `http`, each check makes one " +
      "request for each user with a session. With `ephemeral`, a session ends at the time in the user name.",
    example: "5 minutes",
    absent: "60 for `memory`, `file` and `sql`; 0 if `http` or `ephemeral` is used",
    reload: "live"
  }),
  sqlUrl: optional("MSRP_SQL_URL", sqlUrl, {
    expects: "a URL of PostgreSQL (postgres://), of MySQL or MariaDB (mysql://), or sqlite: followed by the path of " +
      "a file",
    meaning: "A database with the table of users that OpenSIPS and Kamailio have. MSRP_CALCULATE_HA1 chooses the " +
      "column of secrets.",
    example: "postgres://msrp:secret@db.example.com/opensips",
    absent: "none",
    reload: "live"
  }),
  sqlTable: set("MSRP_SQL_TABLE", sqlName, {
    expects: "a table name, optionally prefixed with its schema and a dot",
    meaning: "The table of users.",
    example: "msrp_users",
    default: "subscriber",
    reload: "live"
  }),
  sqlUsername: set("MSRP_SQL_USERNAME_COLUMN", sqlName, {
    expects: "a column name",
    meaning: "The column of user names.",
    example: "name",
    default: "username",
    reload: "live"
  }),
  sqlDomain: set("MSRP_SQL_DOMAIN_COLUMN", sqlNameOrNone, {
    expects: "a column name, or none",
    meaning: "The column of realms. With `none`, every user belongs to every realm.",
    example: "realm",
    default: "domain",
    reload: "live"
  }),
  sqlPassword: set("MSRP_SQL_PASSWORD_COLUMN", sqlName, {
    expects: "a column name",
    meaning: "The column of passwords, for MSRP_CALCULATE_HA1=1.",
    example: "secret",
    default: "password",
    reload: "live"
  }),
  sqlHa1: set("MSRP_SQL_HA1_COLUMN", sqlName, {
    expects: "a column name",
    meaning: "The column of H(user:realm:password) with MD5, for MSRP_CALCULATE_HA1=0.",
    example: "digest",
    default: "ha1",
    reload: "live"
  }),
  sqlHa1Sha256: set("MSRP_SQL_HA1_SHA256_COLUMN", sqlNameOrNone, {
    expects: "a column name, or none",
    meaning: "The column of H(user:realm:password) with SHA-256, for MSRP_CALCULATE_HA1=0. With `none`, only MD5 is " +
      "offered then.",
    example: "ha1_sha256",
    default: "none",
    reload: "live"
  }),
  httpUrl: optional("MSRP_HTTP_URL", httpUrl, {
    expects: "an http or https URL without a password",
    meaning: "An HTTP service that the relay queries for each user; docs/credentials.md describes the requests.",
    example: "https://users.example.com/msrp",
    absent: "none",
    reload: "live"
  }),
  httpToken: optional("MSRP_HTTP_TOKEN", token, {
    expects: "visible ASCII characters",
    meaning: "The bearer token to send to the HTTP service.",
    example: "0a4f113b",
    absent: "none is sent",
    reload: "live"
  }),
  ephemeralSecret: optional("MSRP_EPHEMERAL_SECRET", secret, {
    expects: "text without control characters",
    meaning: "The secret for time-limited credentials, as for TURN: the user name begins with an expiry time " +
      "(seconds since 1970), and the password is computed from the user name with this secret.",
    example: "north-pole",
    absent: "none",
    reload: "live"
  })
}
