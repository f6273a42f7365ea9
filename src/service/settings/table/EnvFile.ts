/** The variable that says where the others are. */
import { line } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional } = variablesOf("File of variables")

export const envFile = {
  envFile: optional("MSRP_ENV_FILE", line, {
    expects: "the path of a file",
    meaning:
      "A file like this one, read at start and again at each reload: its variables count where the environment does not " +
      "have them. In the file itself MSRP_ENV_FILE means nothing.",
    example: "/etc/msrp-relay/relay.env",
    absent: "`.env` in the working directory, if there is one"
  })
}
