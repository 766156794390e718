import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";
import { authenticate } from "./authentication.ts";

const NO_PASSWORD_SET =
  "ERR AUTH <password> called without any password configured for the default user. " +
  "Are you sure your configuration is correct?";

/** AUTH [username] password */
export const auth: EdgeCommand = {
  kind: "edge",
  name: "auth",
  summary: "Authenticate to the server",
  complexity: "O(N) where N is the number of passwords defined for the user",
  since: "1.0.0",
  group: "connection",
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  categories: ["fast", "connection"],
  keySpecs: [],
  arguments: [
    { name: "username", type: "string", since: "6.0.0", flags: ["optional"] },
    { name: "password", type: "string" },
  ],
  history: [["6.0.0", "Added ACL style (username and password)."]],
  run: runAuth,
};

function runAuth(context: EdgeContext): void {
  const { argv, reply, server } = context;
  if (argv.count > 3) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  if (argv.count === 2 && server.access.users().get("default")?.hasNoPassword === true) {
    reply.error(NO_PASSWORD_SET);
    return;
  }
  const user = argv.count === 3 ? argv.latin1(1) : "default";
  const password = Buffer.from(argv.bytes(argv.count - 1));
  authenticate(context, { user, password, command: argv.latin1(0) }, (errorText) => {
    if (errorText === null) reply.ok();
    else reply.error(errorText);
  });
}
