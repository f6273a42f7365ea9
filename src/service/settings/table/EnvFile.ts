/** The variable that says where the others are. */
import { line } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional } = variablesOf("File of variables")

export const envFile = {
  envFile: optional("MSRP_ENV_FILE", line, {
    expects: "the path of a file",
    meaning: "A file of variables like this one, read at start and at each reload. The environment has precedence " +
      "over it. MSRP_ENV_FILE in the file itself has no effect.",
    example: "/etc/msrp-relay/relay.env",
    absent: "`.env` in the working directory, if it exists"
  })
}
